package adapter

import (
	"net"
	"net/netip"
	"runtime"
)

// Uplink says why this computer has no way out; "" where that is not known.
type Uplink string

// What is missing, the most basic first.
const (
	NoLink       Uplink = "no_link"       // no interface is connected to anything
	NoAddress    Uplink = "no_address"    // connected, and none has an address
	SelfAssigned Uplink = "self_assigned" // only addresses of 169.254.0.0/16, which DHCP did not give (RFC 3927)
	NoRoute      Uplink = "no_route"      // an address, and no way that leads anywhere
)

// WhyNoWay looks at the interfaces of a computer that has no way out.
func WhyNoWay() Uplink {
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
	return whyNoWay(ports)
}

// port is an interface as far as it can lead anywhere.
type port struct {
	loopback, connected bool
	addrs               []netip.Addr
}

// whyNoWay is decided by the interface that lacks least.
func whyNoWay(ports []port) Uplink {
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
			case a.IsLinkLocalUnicast(), isUniqueLocal(a): // every interface makes itself one of IPv6
			default:
				found = NoRoute
			}
		}
	}
	return found
}

// hasCarrier says whether the other end of an interface's cable is there. An
// address and its route stay when a cable is pulled, if nobody takes them away.
// Elsewhere than on Linux and Windows the flag only says that the driver runs.
func hasCarrier(i net.Interface) bool {
	tells := runtime.GOOS == "linux" || runtime.GOOS == "windows"
	return !tells || i.Flags&net.FlagRunning != 0
}
