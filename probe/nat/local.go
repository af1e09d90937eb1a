package nat

import (
	"net"
	"net/netip"

	"github.com/tonprobe/tonprobe/probe"
)

// localAddr is the address this computer would send from to reach to. A
// connected UDP socket knows it without sending anything. It is invalid when
// the network does not tell; the socket's own 0.0.0.0 is never an answer, for
// a mapped address could not equal it and every line would look translated.
func localAddr(env probe.Env, network string, to netip.AddrPort) netip.Addr {
	conn, err := env.Net.DialUDP(network, nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = conn.Close() }()
	a, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr, ok := netip.AddrFromSlice(a.IP)
	if addr = addr.Unmap(); !ok || addr.IsUnspecified() {
		return netip.Addr{}
	}
	return addr.WithZone(a.Zone)
}

// interfaceAddrs are all addresses of this computer.
func interfaceAddrs(env probe.Env) (all []netip.Addr) {
	interfaces, err := env.Net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if addr, ok := netip.AddrFromSlice(n.IP); ok {
					all = append(all, addr.Unmap())
				}
			}
		}
	}
	return all
}
