// Package adapter describes the network interface that carries the way to an
// address: of what kind it is, how well it is connected, and which router comes
// next. Names, addresses and the SSID stay on this machine.
package adapter

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Kind of an interface; "" where the system does not tell.
type Kind string

// The kinds.
const (
	WiFi     Kind = "wifi"
	Ethernet Kind = "ethernet"
	Cellular Kind = "cellular"
	VPN      Kind = "vpn"
)

// Adapter is the interface that carries the way to an address. A nil field is
// one that the system does not tell.
type Adapter struct {
	Kind      Kind
	SignalDBM *float64
	RateMbps  *float64
	MTU       int
	// Local is the address this computer uses there.
	Local netip.Addr
	// Gateway is the next router; invalid when there is none, as in a tunnel or
	// to a neighbour. It is to be used only when GatewayKnown.
	Gateway      netip.Addr
	GatewayKnown bool
	// Unplugged is true where the other end of the interface's cable is away.
	Unplugged bool

	name string // of the interface; it stays in this package
}

// Toward finds the interface that carries the way to an address. It sends
// nothing: connecting a UDP socket asks the system's routes.
func Toward(ctx context.Context, to netip.Addr) (Adapter, error) {
	to = to.Unmap()
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(to, 443).String())
	if err != nil {
		return Adapter{}, fmt.Errorf("ask for the way to the server: %w", err)
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

// interfaceOf finds the interface that has an address.
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
	return nil, fmt.Errorf("find the interface of the way to the server: none has its address")
}

// tunnelNames are how tunnels are called on the systems and by the programs
// that make them.
var tunnelNames = [...]string{
	"tun", "tap", "wg", "ppp", "utun", "ipsec", "tailscale", "zt", "nordlynx", "proton", "mullvad", "cscotun", "gpd", "vpn",
}

func isTunnelName(name string) bool {
	return slices.ContainsFunc(tunnelNames[:], func(prefix string) bool {
		return strings.HasPrefix(strings.ToLower(name), prefix)
	})
}

// Families says whether this computer has a way to the far side by IPv4 and by
// IPv6. The addresses are those for documentation (RFC 5737, RFC 3849); nothing
// is sent to them.
func Families() (ipv4, ipv6 bool) {
	return hasWay("udp4", "192.0.2.1:443"), hasWay("udp6", "[2001:db8::1]:443")
}

func hasWay(network, to string) bool {
	conn, err := net.Dial(network, to)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	return !local.IsLoopback() && !local.IsLinkLocalUnicast() && !isUniqueLocal(local)
}

// isUniqueLocal says whether an address is one of RFC 4193, which leads nowhere
// outside the house.
func isUniqueLocal(a netip.Addr) bool { return a.Is6() && a.IsPrivate() }
