package bench

import (
	"net/netip"
)

// Ports at which the gateway's login page listens; what goes to 80 and 443
// anywhere is led there.
const (
	portalPlainPort = 8080
	portalTLSPort   = 8443
)

// portalRule is the trick of a guest network: until somebody has logged in,
// every web server is the login page, and nothing else answers. Names are
// looked up at the gateway, which is why that works.
type portalRule struct {
	gateway netip.Addr
	meant   map[netip.AddrPort]netip.AddrPort // whom a connection of home was for
}

func newPortalRule(gateway netip.Addr) *portalRule {
	return &portalRule{gateway: gateway, meant: map[netip.AddrPort]netip.AddrPort{}}
}

// into turns a packet to a web server round; false for all else.
func (r *portalRule) into(p packet) bool {
	to := map[uint16]uint16{80: portalPlainPort, 443: portalTLSPort}[p.dst().Port()]
	if p.protocol() != protoTCP || to == 0 {
		return false
	}
	r.meant[p.src()] = p.dst()
	p.setDst(netip.AddrPortFrom(r.gateway, to))
	return true
}

// outOf gives the login page's answers the address that was meant.
func (r *portalRule) outOf(p packet) {
	if from := p.src().Port(); p.protocol() == protoTCP && (from == portalPlainPort || from == portalTLSPort) {
		if meant, ok := r.meant[p.dst()]; ok {
			p.setSrc(meant)
		}
	}
}
