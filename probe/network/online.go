package network

import (
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/tonprobe/tonprobe/probe"
)

// judgeOnline says whether this computer reaches anything at all. That a server
// is silent is no sign against the line: only the system's own word that there
// is no way out makes it "offline", else it stays unknown.
func (j *journey) judgeOnline() {
	if j.data.Online != nil {
		return
	}
	switch {
	case j.conn != nil, j.answeredDial(), j.answeredDNS():
		j.data.Online = new(true)
	case slices.ContainsFunc(j.addrs, netip.Addr.IsLoopback):
		// This computer itself is no network to be cut off from.
	case noInterface(j.env), noRoute(j.env, j.addrs...):
		j.data.Online = new(false)
	}
}

// answeredDial says whether some machine refused us: it must be there for that.
func (j *journey) answeredDial() bool {
	return slices.ContainsFunc(j.dialErrs, probe.IsRefused)
}

// answeredDNS says whether a DNS server elsewhere answered, though not with an
// address. One on this computer answers without any network, and so does a
// cache: that a name was found proves nothing.
func (j *journey) answeredDNS() bool {
	e, ok := errors.AsType[*net.DNSError](j.dnsErr)
	if !ok || e.IsTimeout {
		return false
	}
	at, err := netip.ParseAddrPort(e.Server)
	return (e.IsNotFound || e.Err == "server misbehaving") && err == nil && !at.Addr().IsLoopback()
}

// noInterface says for certain that no interface but loopback is up and has an
// address.
func noInterface(env probe.Env) bool {
	interfaces, err := env.Net.Interfaces()
	if err != nil || len(interfaces) == 0 {
		return false
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagLoopback == 0 && i.Flags&net.FlagUp != 0 && len(addrs) > 0 {
			return false
		}
	}
	return true
}

// noRoute says for certain that the system has no way to any far address, nor to
// those given: a server may stand in the same network, which has no way out.
// Connecting a UDP socket asks the routes and sends nothing.
func noRoute(env probe.Env, to ...netip.Addr) bool {
	for _, a := range append(to, anywhere, anywhere6) {
		network := "udp4"
		if a.Is6() {
			network = "udp6"
		}
		conn, err := env.Net.DialUDP(network, nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
		if err == nil {
			_ = conn.Close()
			return false
		}
		if !probe.IsNoRoute(err) {
			return false
		}
	}
	return true
}
