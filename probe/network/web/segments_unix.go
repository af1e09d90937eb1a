//go:build linux || darwin

package web

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// smallSegments sets the size announced in the SYN, which applies to both sides (tcp(7), TCP_MAXSEG).
func smallSegments(_, _ string, c syscall.RawConn) error {
	var inner error
	err := c.Control(func(fd uintptr) {
		inner = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, smallSegmentBytes)
	})
	return errors.Join(err, inner)
}
