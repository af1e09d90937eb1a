package bind

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// freely permits binding an address that no interface has yet (ip(7), IP_FREEBIND). If the kernel
// does not support it, bind reports the error.
func freely(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_FREEBIND, 1)
	})
}
