package unacked

import (
	"time"

	"golang.org/x/sys/unix"
)

// set sets TCP_RXT_CONNDROPTIME: the time in seconds after which retransmission ends.
func set(fd uintptr, limit time.Duration) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_RXT_CONNDROPTIME, int(limit/time.Second))
}
