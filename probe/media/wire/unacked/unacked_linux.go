package unacked

import (
	"time"

	"golang.org/x/sys/unix"
)

// set sets TCP_USER_TIMEOUT (RFC 5482). A listening socket passes it on to the connections that it
// accepts.
func set(fd uintptr, limit time.Duration) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit/time.Millisecond))
}
