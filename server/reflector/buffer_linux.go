package reflector

import (
	"log/slog"
	"net"
	"syscall"
)

// widen requests large socket buffers. With CAP_NET_ADMIN the system's limit does not
// apply (socket(7), SO_RCVBUFFORCE). Without it the kernel grants what its limit allows,
// and if that is little the log states how to raise it.
func widen(conn *net.UDPConn, log *slog.Logger) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	got := 0
	_ = raw.Control(func(fd uintptr) {
		s := int(fd)
		if syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, socketBytes) != nil {
			_ = syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF, socketBytes)
		}
		if syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_SNDBUFFORCE, socketBytes) != nil {
			_ = syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_SNDBUF, socketBytes)
		}
		got, _ = syscall.GetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF)
	})
	if got < leastSocketBytes {
		log.Info("the receive buffer is small, and packets may be lost under load: raise sysctl net.core.rmem_max",
			"bytes", got, "want", socketBytes, "address", conn.LocalAddr())
	}
}
