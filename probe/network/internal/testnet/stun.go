package testnet

import (
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v2"
)

// STUNMachine starts a server on loopback that responds to STUN, or is silent.
func STUNMachine(t *testing.T, answers bool) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			request := &stun.Message{Raw: append([]byte(nil), b[:n]...)}
			if !answers || request.Decode() != nil {
				continue
			}
			mapped := &stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}
			if reply, err := stun.Build(request, stun.BindingSuccess, mapped); err == nil {
				_, _ = conn.WriteToUDPAddrPort(reply.Raw, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}
