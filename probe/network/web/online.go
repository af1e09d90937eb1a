package web

import (
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
)

// judgeOnline determines whether this computer reaches anything at all. A silent server says
// nothing about the line. Only the system's own statement that there is no route means "offline";
// otherwise the result is unknown.
func (j *journey) judgeOnline() {
	if j.hasNoRoute() {
		j.data.NoRoute = new(true)
	}
	if j.data.Online != nil {
		return
	}
	switch {
	case j.conn != nil, j.answeredDial(), j.answeredDNS():
		j.data.Online = new(true)
	case slices.ContainsFunc(j.addrs, netip.Addr.IsLoopback):
		// This computer itself needs no network.
	case adapter.HasNoInterface(j.env.Net), adapter.HasNoRoute(j.env.Net, j.addrs...):
		j.data.Online = new(false)
	}
}

// hasNoRoute reports whether the system rejected every connection to the server for lack of a route.
func (j *journey) hasNoRoute() bool {
	return j.proxy == nil && len(j.dialErrs) > 0 &&
		!slices.ContainsFunc(j.dialErrs, func(err error) bool { return !probe.IsNoRoute(err) })
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
