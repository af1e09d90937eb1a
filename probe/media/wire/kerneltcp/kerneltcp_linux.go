package kerneltcp

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// FillQueues selects a congestion control that sends until packets are lost. With BBR,
// the default of some servers, the queue before the bottleneck would remain nearly empty,
// and a router that buffers a second of packets would go unnoticed. CUBIC (RFC 9438) is
// the default of Linux, Windows and macOS. An unprivileged program may not select it if
// the system's list does not contain it; Reno (RFC 5681) is always available. Errors
// leave the system's default.
func FillQueues(conn net.Conn) {
	control(conn, func(fd int) {
		for _, algorithm := range []string{"cubic", "reno"} {
			if unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, algorithm) == nil {
				return
			}
		}
	})
}

// largestMSS is the MSS of jumbo frames. A larger one is that of loopback, where
// segments have any size.
const largestMSS = 9000

// counters reads what has arrived: bytes in order, and data segments with their usual
// size (tcp(7), TCP_INFO).
func counters(conn net.Conn) (c count, ok bool) {
	control(conn, func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		c = count{inOrder: int64(info.Bytes_received), segments: info.Data_segs_in}
		if info.Rcv_mss <= largestMSS {
			c.segmentBytes = int64(info.Rcv_mss)
		}
		ok = true
	})
	return c, ok
}

func control(conn net.Conn, do func(fd int)) {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { do(int(fd)) })
}
