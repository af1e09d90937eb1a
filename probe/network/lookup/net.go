package lookup

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pion/transport/v4"
)

// Net is a network that resolves names with its own Resolver. Libraries that use a transport.Net would otherwise use the
// system's, which waits 5 s for a dead name server.
type Net struct {
	transport.Net
	Resolver Resolver
	// Timeout limits each look-up, because the interface has no context.
	Timeout time.Duration
}

// ResolveIPAddr is like net.ResolveIPAddr.
func (n Net) ResolveIPAddr(network, address string) (*net.IPAddr, error) {
	if !isName(address) {
		return n.Net.ResolveIPAddr(network, address)
	}
	a, err := n.resolve(network, address)
	if err != nil {
		return nil, err
	}
	return &net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()}, nil
}

// ResolveUDPAddr is like net.ResolveUDPAddr.
func (n Net) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	host, port, ok := splitName(address)
	if !ok {
		return n.Net.ResolveUDPAddr(network, address)
	}
	a, err := n.resolve(network, host)
	if err != nil {
		return nil, err
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, port)), nil
}

// ResolveTCPAddr is like net.ResolveTCPAddr.
func (n Net) ResolveTCPAddr(network, address string) (*net.TCPAddr, error) {
	host, port, ok := splitName(address)
	if !ok {
		return n.Net.ResolveTCPAddr(network, address)
	}
	a, err := n.resolve(network, host)
	if err != nil {
		return nil, err
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, port)), nil
}

// splitName reports false if there is no name to resolve.
func splitName(address string) (host string, port uint16, ok bool) {
	host, text, err := net.SplitHostPort(address)
	if err != nil || !isName(host) {
		return "", 0, false
	}
	number, err := strconv.ParseUint(text, 10, 16)
	return host, uint16(number), err == nil
}

func isName(host string) bool {
	_, err := netip.ParseAddr(host)
	return host != "" && err != nil
}

// resolve returns the first address of the network's family, IPv4 if both are allowed, like package net.
func (n Net) resolve(network, host string) (netip.Addr, error) {
	family := "ip" + strings.TrimLeft(network, "abcdefghijklmnopqrstuvwxyz")
	ctx, cancel := context.WithTimeout(context.Background(), n.Timeout)
	defer cancel()
	addrs, err := n.Resolver.LookupNetIP(ctx, family, host)
	if err != nil {
		return netip.Addr{}, err
	}
	is4 := func(a netip.Addr) bool { return a.Unmap().Is4() }
	if i := slices.IndexFunc(addrs, is4); i >= 0 && family != "ip6" {
		return addrs[i].Unmap(), nil
	}
	if i := slices.IndexFunc(addrs, func(a netip.Addr) bool { return !is4(a) }); i >= 0 && family != "ip4" {
		return addrs[i], nil
	}
	return netip.Addr{}, &net.AddrError{Err: "no suitable address found", Addr: host}
}
