// Package adapter describes the network interface on the route to an address: its kind, its connection quality, and the next
// router. Names, addresses and the SSID stay on this machine.
package adapter

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Kind is the kind of an interface; "" if unknown.
type Kind string

// The kinds.
const (
	WiFi     Kind = "wifi"
	Ethernet Kind = "ethernet"
	Cellular Kind = "cellular"
	VPN      Kind = "vpn"
)

// Adapter is the interface on the route to an address. A nil field is unknown.
type Adapter struct {
	Kind      Kind
	SignalDBM *float64
	RateMbps  *float64
	MTU       int
	// Local is this computer's address on the interface.
	Local netip.Addr
	// Gateway is the next router; invalid if there is none, as in a tunnel or for a neighbour. Use it only if
	// GatewayKnown.
	Gateway      netip.Addr
	GatewayKnown bool
	// Unplugged is true if the interface has no carrier.
	Unplugged bool

	name string // of the interface; not exported
}

// Toward returns the interface on the route to an address. It sends nothing: connecting a UDP socket consults the routing
// table.
func Toward(ctx context.Context, to netip.Addr) (Adapter, error) {
	to = to.Unmap()
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(to, 443).String())
	if err != nil {
		return Adapter{}, fmt.Errorf("look up the route to the server: %w", err)
	}
	defer func() { _ = conn.Close() }()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	i, err := interfaceOf(local)
	if err != nil {
		return Adapter{}, err
	}
	a := Adapter{MTU: i.MTU, Local: local, name: i.Name, Unplugged: !hasCarrier(*i)}
	if isTunnelName(i.Name) {
		a.Kind = VPN
	}
	describe(&a, *i, to)
	return a, nil
}

// interfaceOf returns the interface that has an address.
func interfaceOf(local netip.Addr) (*net.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		if slices.ContainsFunc(addrs, func(a net.Addr) bool {
			p, err := netip.ParsePrefix(a.String())
			return err == nil && p.Addr().Unmap() == local.WithZone("")
		}) {
			return &i, nil
		}
	}
	return nil, fmt.Errorf("find the interface of the route to the server: none has its address")
}

// tunnelNames are the prefixes of the interface names that systems and VPN programs give to tunnels.
var tunnelNames = [...]string{
	"tun", "tap", "wg", "ppp", "utun", "ipsec", "tailscale", "zt", "nordlynx", "proton", "mullvad", "cscotun", "gpd", "vpn",
}

func isTunnelName(name string) bool {
	return slices.ContainsFunc(tunnelNames[:], func(prefix string) bool {
		return strings.HasPrefix(strings.ToLower(name), prefix)
	})
}

// Families reports whether this computer has routes to distant IPv4 and IPv6 addresses. The addresses are reserved for
// documentation (RFC 5737, RFC 3849); nothing is sent to them.
func Families() (ipv4, ipv6 bool) {
	return hasRoute("udp4", "192.0.2.1:443"), hasRoute("udp6", "[2001:db8::1]:443")
}

func hasRoute(network, to string) bool {
	conn, err := net.Dial(network, to)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	return !local.IsLoopback() && !local.IsLinkLocalUnicast() && !isUniqueLocal(local)
}

// isUniqueLocal reports whether an address is unique local (RFC 4193), which is not routed outside of the site.
func isUniqueLocal(a netip.Addr) bool { return a.Is6() && a.IsPrivate() }
