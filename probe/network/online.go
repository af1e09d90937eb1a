package network

import (
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/tonprobe/tonprobe/probe"
)

// judgeOnline determines whether this computer reaches anything at all. A silent server says
// nothing about the line. Only the system's own statement that there is no route means "offline";
// otherwise the result is unknown.
func (j *journey) judgeOnline() {
	if j.data.Online != nil {
		return
	}
	switch {
	case j.conn != nil, j.answeredDial(), j.answeredDNS():
		j.data.Online = new(true)
	case slices.ContainsFunc(j.addrs, netip.Addr.IsLoopback):
		// This computer itself needs no network.
	case noInterface(j.env), noRoute(j.env, j.addrs...):
		j.data.Online = new(false)
	}
}

// answeredDial reports whether a machine refused a connection, and therefore exists.
func (j *journey) answeredDial() bool {
	return slices.ContainsFunc(j.dialErrs, probe.IsRefused)
}

// answeredDNS reports whether a DNS server elsewhere responded, though without an address. A server
// on this computer responds without any network, and so does a cache: a resolved name proves
// nothing.
func (j *journey) answeredDNS() bool {
	e, ok := errors.AsType[*net.DNSError](j.dnsErr)
	if !ok || e.IsTimeout {
		return false
	}
	at, err := netip.ParseAddrPort(e.Server)
	return (e.IsNotFound || e.Err == "server misbehaving") && err == nil && !at.Addr().IsLoopback()
}

// noInterface reports whether certainly no interface except loopback is up with an address.
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

// noRoute reports whether the system certainly has no route to any distant address, nor to the
// given ones: a server may be in a local network without a route outside. Connecting a UDP socket
// consults the routes and sends nothing.
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
