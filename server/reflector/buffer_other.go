//go:build !linux

package reflector

import (
	"log/slog"
	"net"
)

// widen requests large socket buffers; the kernel grants what its limit allows.
func widen(conn *net.UDPConn, _ *slog.Logger) {
	_ = conn.SetReadBuffer(socketBytes)
	_ = conn.SetWriteBuffer(socketBytes)
}
