package netbench

import (
	"net/netip"
	"testing"
)

func TestPortalTakesTheServersPlace(t *testing.T) {
	for _, portal := range []PortalSpec{{Page: "redirect", TLS: "own"}, {Page: "login", TLS: "refused"}, {Page: "511", TLS: "silent"}} {
		l := newLab(t, Scenario{NAT: homeRouter(), Portal: &portal})
		for from, to := range map[uint16]uint16{
			80:  map[string]uint16{"redirect": redirectPort, "login": loginPort, "511": authNeedPort}[portal.Page],
			443: map[string]uint16{"own": portalTLSPort, "refused": closedPort}[portal.TLS],
		} {
			got := l.give(atHome, tcp(home(5000), server(from)), atGateway)
			if to == 0 {
				if len(got) != 0 {
					t.Errorf("%+v: port %d is redirected to %v, want silence", portal, from, got[0].dst())
				}
				continue
			}
			if len(got) != 1 || got[0].dst() != netip.AddrPortFrom(privateGateway, to) {
				t.Fatalf("%+v: port %d is redirected to %v, want port %d", portal, from, got, to)
			}
			back := l.give(atGateway, tcp(got[0].dst(), got[0].src()), atHome)
			if len(back) != 1 || back[0].src() != server(from) || back[0].dst() != home(5000) {
				t.Errorf("%+v: the login page responds as %v", portal, back)
			}
		}
		for _, p := range []packet{udp(home(5000), a1, 10), tcp(home(5000), server(22))} {
			if l.give(atHome, p, atServer); len(l.got[atServer])+len(l.got[atGateway]) != 0 {
				t.Errorf("%v passes the portal", p.dst())
			}
		}
	}
}

func TestInspectionTakesTheWebOnly(t *testing.T) {
	l := newLab(t, Scenario{NAT: homeRouter(), Inspection: &InspectionSpec{}})
	if got := l.give(atHome, tcp(home(5000), server(443)), atGateway); len(got) != 1 || got[0].dst().Port() != inspectPort {
		t.Errorf("got a redirect to %v, want port %d", got, inspectPort)
	}
	if got := l.give(atHome, udp(home(5000), a1, 10), atServer); len(got) != 1 {
		t.Error("the firewall blocks UDP")
	}
	// The box's own connection to the server is not redirected.
	own := tcp(netip.AddrPortFrom(privateGateway, 40000), server(443))
	if got := l.give(atGateway, own, atServer); len(got) != 1 {
		t.Fatal("the firewall does not reach the server")
	}
	if back := l.give(atServer, tcp(server(443), netip.AddrPortFrom(privateGateway, 40000)), atGateway); len(back) != 1 || back[0].src() != server(443) {
		t.Errorf("the server's response to it: got %v, want one from %v", back, server(443))
	}
}

func TestMiddleboxBeforeTheCollector(t *testing.T) {
	for spec, port := range map[CollectorSpec]uint16{{}: 443, {Status: 500}: frontPort, {Refused: true}: closedPort} {
		l := newLab(t, Scenario{NAT: homeRouter(), Collector: spec})
		got := l.give(atHome, tcp(home(5000), server(443)), atServer)
		if len(got) != 1 || got[0].dst().Port() != port {
			t.Fatalf("%+v: got a redirect to %v, want port %d", spec, got, port)
		}
		if back := l.give(atServer, tcp(got[0].dst(), got[0].src()), atHome); len(back) != 1 || back[0].src() != server(443) {
			t.Errorf("%+v: the response comes from %v", spec, back)
		}
	}
}
