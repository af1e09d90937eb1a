package adapter

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/route"
	"golang.org/x/sys/unix"
)

// describe determines the next router and, by their names, tunnels and modems. Only [Radio] determines the kind of en0,
// which takes longer.
func describe(a *Adapter, i net.Interface, to netip.Addr) {
	if strings.HasPrefix(i.Name, "pdp_ip") {
		a.Kind = Cellular
	}
	family := unix.AF_INET
	if to.Is6() {
		family = unix.AF_INET6
	}
	rib, err := route.FetchRIB(family, route.RIBTypeRoute, 0)
	if err != nil {
		return
	}
	messages, err := route.ParseRIB(route.RIBTypeRoute, rib)
	if err != nil {
		return
	}
	a.GatewayKnown = true
	best := -1
	for _, m := range messages {
		m, ok := m.(*route.RouteMessage)
		if !ok || m.Index != i.Index || m.Flags&unix.RTF_UP == 0 || len(m.Addrs) <= unix.RTAX_NETMASK {
			continue
		}
		prefix, ok := prefixOf(m.Addrs[unix.RTAX_DST], m.Addrs[unix.RTAX_NETMASK])
		if !ok || !prefix.Contains(to) || prefix.Bits() <= best {
			continue
		}
		best, a.Gateway = prefix.Bits(), netip.Addr{}
		if m.Flags&unix.RTF_GATEWAY != 0 {
			a.Gateway = addrOf(m.Addrs[unix.RTAX_GATEWAY])
		}
	}
	if a.Gateway.IsLinkLocalUnicast() && a.Gateway.Is6() {
		a.Gateway = a.Gateway.WithZone(i.Name)
	}
}

func addrOf(a route.Addr) netip.Addr {
	switch a := a.(type) {
	case *route.Inet4Addr:
		return netip.AddrFrom4(a.IP)
	case *route.Inet6Addr:
		return netip.AddrFrom16(a.IP)
	}
	return netip.Addr{}
}

// prefixOf converts destination and mask; a host route has no mask.
func prefixOf(destination, mask route.Addr) (netip.Prefix, bool) {
	d := addrOf(destination)
	if !d.IsValid() {
		return netip.Prefix{}, false
	}
	bits := d.BitLen()
	if m := addrOf(mask); m.IsValid() {
		bits, _ = net.IPMask(m.AsSlice()).Size()
	} else if d.IsUnspecified() {
		bits = 0
	}
	return netip.PrefixFrom(d, bits), true
}
