package netbench

import (
	"net/netip"
)

// Ports at which boxes of the bench listen on the gateway. What goes to 80 and
// 443 anywhere is led to them.
const (
	redirectPort  = 8080 // login page that leads to its own address
	loginPort     = 8081 // login page in the place of every page
	authNeedPort  = 8082 // says 511 (RFC 6585 §6)
	portalTLSPort = 8443 // login page with a certificate of its own
	inspectPort   = 8444 // opens TLS and looks inside
	closedPort    = 8449 // nobody listens: connections are refused
	proxyPort     = 3128 // forward proxy, which has to be asked
	proxyTLSPort  = 3129 // the same, with TLS and a certificate of its own
	noProxyPort   = 3130 // where a proxy is no more: nobody listens
	frontPort     = 9443 // on the server: the box before the collector
	collectorPort = 443
	movedPort     = 8443 // where the collector is reached in some scenarios
)

// detour leads connections of home to a box on the gateway, whose answers bear
// the address that was meant.
type detour struct {
	gateway netip.Addr
	// ports says where each port of TCP is led.
	ports map[uint16]uint16
	// exclusive lets nothing else pass.
	exclusive bool
	meant     map[netip.AddrPort]netip.AddrPort // whom a connection of home was for
}

// detourOf is what the scenario's guest network or inspecting firewall does;
// nil when it has neither.
func detourOf(s Scenario, gateway netip.Addr) *detour {
	d := &detour{gateway: gateway, ports: map[uint16]uint16{}, meant: map[netip.AddrPort]netip.AddrPort{}}
	switch {
	case s.Portal != nil:
		d.exclusive = true
		d.ports[80] = map[string]uint16{"redirect": redirectPort, "login": loginPort, "511": authNeedPort}[s.Portal.Page]
		if to := map[string]uint16{"own": portalTLSPort, "refused": closedPort}[s.Portal.TLS]; to != 0 {
			d.ports[443] = to
		}
	case s.Inspection != nil:
		d.ports[443] = inspectPort
	default:
		return nil
	}
	return d
}

// into turns a packet of home round, to a box; not taken: it is none of the
// detour's.
func (d *detour) into(p packet) (taken bool) {
	if p.is6() || p.protocol() != protoTCP {
		return false
	}
	to, ok := d.ports[p.dst().Port()]
	if !ok {
		return false
	}
	d.meant[p.src()] = p.dst()
	p.setDst(netip.AddrPortFrom(d.gateway, to))
	return true
}

// outOf gives a box's answers the address that was meant.
func (d *detour) outOf(p packet) {
	if p.is6() || p.protocol() != protoTCP {
		return
	}
	for meantPort, port := range d.ports {
		if meant, ok := d.meant[p.dst()]; ok && p.src().Port() == port && meant.Port() == meantPort {
			p.setSrc(meant)
			return
		}
	}
}
