//go:build !linux || !(amd64 || arm64)

package arrival

import (
	"net"
	"net/netip"
	"time"
)

// kernelDepartures uses the time just before the system call, because these kernels provide none to unprivileged programs.
type kernelDepartures struct{}

func (*kernelDepartures) ask(*net.UDPConn) {}

func (*kernelDepartures) told() (asked, told bool) { return false, false }

func (*kernelDepartures) send(c *Conn, b []byte, to netip.AddrPort) (n int, left time.Time, err error) {
	left = c.now()
	n, err = c.UDPConn.WriteToUDPAddrPort(b, to)
	return n, left, err
}
