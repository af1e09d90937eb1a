package path

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dontFragment sets the DF bit (ip(4), IP_DONTFRAG).
func dontFragment(network, _ string, c syscall.RawConn) error {
	level, option := unix.IPPROTO_IP, unix.IP_DONTFRAG
	if strings.HasSuffix(network, "6") {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG
	}
	var inner error
	err := c.Control(func(fd uintptr) { inner = unix.SetsockoptInt(int(fd), level, option, 1) })
	return errors.Join(err, inner)
}

func isTooLarge(err error) bool { return errors.Is(err, unix.EMSGSIZE) }
