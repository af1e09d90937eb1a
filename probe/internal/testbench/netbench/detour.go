package netbench

import (
	"net/netip"
)

// Ports of the boxes on the gateway. Connections to ports 80 and 443 of any address
// are redirected to them.
const (
	redirectPort  = 8080 // login page that redirects to its own address
	loginPort     = 8081 // login page instead of every page
	authNeedPort  = 8082 // responds with 511 (RFC 6585 §6)
	portalTLSPort = 8443 // login page with its own certificate
	inspectPort   = 8444 // intercepts TLS
	closedPort    = 8449 // nothing listens: connections are refused
	proxyPort     = 3128 // explicit forward proxy
	proxyTLSPort  = 3129 // the same, with TLS and its own certificate
	noProxyPort   = 3130 // a former proxy: nothing listens
	frontPort     = 9443 // on the server: the box in front of the collector
	collectorPort = 443
	movedPort     = 8443 // port of the collector in some scenarios
)

// detour redirects connections of the home to a box on the gateway. The responses
// have the original destination as their source address.
type detour struct {
	gateway netip.Addr
	// ports maps destination ports over TCP to ports of boxes.
	ports map[uint16]uint16
	// exclusive drops all other packets.
	exclusive bool
	meant     map[netip.AddrPort]netip.AddrPort // original destination by source of the connection
}

// detourOf returns the redirection by the scenario's guest network or inspecting
// firewall; nil if it has neither.
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

// into redirects a packet of the home to a box. taken is false if the detour does
// not apply to it.
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

// outOf restores the original destination as the source of a box's responses.
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
