package nat

import (
	"net"
	"net/netip"

	"github.com/tonprobe/tonprobe/probe"
)

// localAddr returns the address from which this computer sends to to. A connected UDP socket provides it without
// sending. The result is invalid if unknown. It is never 0.0.0.0, which differs from every mapped address and would
// make every line look translated.
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

// hasRoute reports whether the system may send to to: only its own report that there is no route counts.
func hasRoute(env probe.Env, to netip.AddrPort) bool {
	network := "udp4"
	if to.Addr().Is6() {
		network = "udp6"
	}
	conn, err := env.Net.DialUDP(network, nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return !probe.IsNoRoute(err)
	}
	_ = conn.Close()
	return true
}

// interfaceAddrs returns all addresses of this computer.
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
