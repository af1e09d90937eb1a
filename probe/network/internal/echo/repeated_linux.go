package echo

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// wasRepeated asks the kernel whether the SYN of a connection was retransmitted. The time does not
// show it: Linux remembers the round trip to a server (tcp_metrics) and then retransmits after 200
// ms.
func wasRepeated(conn net.Conn) bool {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	repeated := false
	_ = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		repeated = err == nil && info.Total_retrans > 0
	})
	return repeated
}
