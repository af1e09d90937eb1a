package path

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dontFragment sets the DF bit. The kernel keeps path MTU information from routers and then refuses
// the packet itself (ip(7), IP_MTU_DISCOVER).
func dontFragment(network, _ string, c syscall.RawConn) error {
	level, option, value := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO
	if strings.HasSuffix(network, "6") {
		level, option, value = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO
	}
	var inner error
	err := c.Control(func(fd uintptr) { inner = unix.SetsockoptInt(int(fd), level, option, value) })
	return errors.Join(err, inner)
}

func isTooLarge(err error) bool { return errors.Is(err, unix.EMSGSIZE) }
