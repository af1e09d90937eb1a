package adapter

import (
	"net"
	"net/netip"
	"runtime"
)

// Uplink is the reason why this computer has no route; "" if unknown.
type Uplink string

// Reasons, the most basic first.
const (
	NoLink       Uplink = "no_link"       // no interface has a carrier
	NoAddress    Uplink = "no_address"    // connected, but no interface has an address
	SelfAssigned Uplink = "self_assigned" // only addresses of 169.254.0.0/16, not assigned by DHCP (RFC 3927)
	NoRoute      Uplink = "no_route"      // an address, but no route
)

// WhyNoRoute examines the interfaces of a computer that has no route.
func WhyNoRoute() Uplink {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		return ""
	}
	var ports []port
	for _, i := range all {
		p := port{connected: i.Flags&net.FlagUp != 0 && hasCarrier(i), loopback: i.Flags&net.FlagLoopback != 0}
		addrs, err := i.Addrs()
		if err != nil {
			return ""
		}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				p.addrs = append(p.addrs, prefix.Addr().Unmap())
			}
		}
		ports = append(ports, p)
	}
	return whyNoRoute(ports)
}

// port describes what an interface has.
type port struct {
	loopback, connected bool
	addrs               []netip.Addr
}

// whyNoRoute returns the reason of the interface that is closest to working.
func whyNoRoute(ports []port) Uplink {
	found := NoLink
	for _, p := range ports {
		if p.loopback || !p.connected {
			continue
		}
		if found == NoLink {
			found = NoAddress
		}
		for _, a := range p.addrs {
			switch {
			case a.Is4() && a.IsLinkLocalUnicast():
				if found == NoAddress {
					found = SelfAssigned
				}
			case a.IsLinkLocalUnicast(), isUniqueLocal(a): // every interface assigns itself an IPv6 one
			default:
				found = NoRoute
			}
		}
	}
	return found
}

// hasCarrier reports whether an interface has a carrier. An address and its route may remain when a cable is unplugged. On
// systems other than Linux and Windows the flag only says that the driver runs.
func hasCarrier(i net.Interface) bool {
	tells := runtime.GOOS == "linux" || runtime.GOOS == "windows"
	return !tells || i.Flags&net.FlagRunning != 0
}
