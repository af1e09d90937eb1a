package adapter

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
)

// Anywhere returns an IPv4 address for documentation (RFC 5737): only its route is looked up, and
// nothing is sent to it.
func Anywhere() netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, 1}) }

// Anywhere6 is Anywhere for IPv6 (RFC 3849).
func Anywhere6() netip.Addr { return netip.MustParseAddr("2001:db8::1") }

// OwnAddresses returns a function that recognises addresses of this computer.
func OwnAddresses(n transport.Net) func(netip.Addr) bool {
	var own []netip.Addr
	if interfaces, err := n.Interfaces(); err == nil {
		for _, i := range interfaces {
			addrs, err := i.Addrs()
			if err != nil {
				continue
			}
			for _, a := range addrs {
				if prefix, err := netip.ParsePrefix(a.String()); err == nil {
					own = append(own, prefix.Addr().Unmap())
				}
			}
		}
	}
	return func(a netip.Addr) bool {
		return a.IsValid() && (a.IsLoopback() || slices.Contains(own, a.WithZone("")))
	}
}

// HasNoInterface reports whether certainly no interface except loopback is up with an address.
func HasNoInterface(n transport.Net) bool {
	interfaces, err := n.Interfaces()
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

// HasNoRoute reports whether the system certainly has no route to any distant address, nor to the
// given ones: a server may be in a local network without a route outside. Connecting a UDP socket
// consults the routes and sends nothing.
func HasNoRoute(n transport.Net, to ...netip.Addr) bool {
	for _, a := range append(to, Anywhere(), Anywhere6()) {
		network := "udp4"
		if a.Is6() {
			network = "udp6"
		}
		conn, err := n.DialUDP(network, nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 9)))
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

// Prefer selects an address that has a route, IPv4 first; if none has one, it
// selects among all. toward is [Toward], or a replacement in tests.
func Prefer(ctx context.Context, toward func(context.Context, netip.Addr) (Adapter, error), addrs []netip.Addr) netip.Addr {
	reachable := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool {
		_, err := toward(ctx, a)
		return err != nil
	})
	if a := preferIPv4(reachable); a.IsValid() {
		return a
	}
	return preferIPv4(addrs)
}

// preferIPv4 selects the family for which more routers answer.
func preferIPv4(addrs []netip.Addr) (found netip.Addr) {
	for _, a := range addrs {
		switch {
		case a.IsUnspecified():
		case a.Is4():
			return a
		case !found.IsValid():
			found = a
		}
	}
	return found
}
