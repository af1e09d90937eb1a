//go:build !linux

package reflect

import (
	"log/slog"
	"net"
)

// widen asks for large buffers; the kernel gives what it may.
func widen(conn *net.UDPConn, _ *slog.Logger) {
	_ = conn.SetReadBuffer(socketBytes)
	_ = conn.SetWriteBuffer(socketBytes)
}
