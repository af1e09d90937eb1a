package path

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// Options of a socket (ws2ipdef.h).
const (
	ipDontFragment = 14
	ipv6DontFrag   = 14
)

// dontFragment sets the DF bit.
func dontFragment(network, _ string, c syscall.RawConn) error {
	level, option := windows.IPPROTO_IP, ipDontFragment
	if strings.HasSuffix(network, "6") {
		level, option = windows.IPPROTO_IPV6, ipv6DontFrag
	}
	var inner error
	err := c.Control(func(fd uintptr) {
		inner = windows.SetsockoptInt(windows.Handle(fd), level, option, 1)
	})
	return errors.Join(err, inner)
}

func isTooLarge(err error) bool { return errors.Is(err, windows.WSAEMSGSIZE) }
