package unacked

import (
	"time"

	"golang.org/x/sys/windows"
)

// maxRT is TCP_MAXRT of ws2ipdef.h: the time in seconds after which retransmission ends.
const maxRT = 5

func set(fd uintptr, limit time.Duration) {
	_ = windows.SetsockoptInt(windows.Handle(fd), windows.IPPROTO_TCP, maxRT, int(limit/time.Second))
}
