package netbench

import (
	"net/netip"
	"testing"
	"time"
)

// both returns a segment with equal directions.
func both(l Line) Segment { return Segment{Up: []Phase{{Line: l}}, Down: []Phase{{Line: l}}} }

// lab is a route with its own clock and a list of delivered packets.
type lab struct {
	*route
	t   *testing.T
	now int64
	got [hosts][]packet
}

func newLab(t *testing.T, s Scenario) *lab {
	t.Helper()
	l := &lab{t: t, now: 1}
	var err error
	l.route, err = newRoute(s, 1, l.now, func(host int, p packet) {
		wantChecksums(t, p)
		l.got[host] = append(l.got[host], append(packet(nil), p...))
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// give sends a packet, advances the clock by a second, and returns what arrived at
// a host.
func (l *lab) give(from int, p packet, at int) []packet {
	l.t.Helper()
	l.got = [hosts][]packet{}
	l.send(from, p, l.now)
	l.pass(time.Second)
	return l.got[at]
}

func (l *lab) pass(d time.Duration) {
	end := l.now + int64(d)
	for l.now < end {
		l.now = min(end, l.now+int64(l.step(func() int64 { return l.now })))
	}
	l.step(func() int64 { return l.now })
}

// out sends from the home to the server's side and returns the source address that
// arrives.
func (l *lab) out(from uint16, to netip.AddrPort) netip.AddrPort {
	l.t.Helper()
	got := l.give(atHome, udp(home(from), to, 10), atServer)
	if len(got) != 1 {
		l.t.Fatalf("got %d packets at the server, want 1", len(got))
	}
	return got[0].src()
}

// admits reports whether a packet from a server's address reaches the home.
func (l *lab) admits(from, to netip.AddrPort, port uint16) bool {
	l.t.Helper()
	got := l.give(atServer, udp(from, to, 10), atHome)
	if len(got) == 0 {
		return false
	}
	if got[0].dst() != home(port) {
		l.t.Errorf("forwarded to %v, want %v", got[0].dst(), home(port))
	}
	return true
}

var (
	a1 = netip.AddrPortFrom(serverAddr, 3478)
	a2 = netip.AddrPortFrom(serverAddr, 3479)
	b1 = netip.AddrPortFrom(serverOther, 3478)
	b2 = netip.AddrPortFrom(serverOther, 3479)
)

// mappingOf and filteringOf perform the tests of RFC 5780 §4.3 and §4.4.
func mappingOf(l *lab) string {
	first, second, third := l.out(5000, a1), l.out(5000, b1), l.out(5000, b2)
	switch {
	case first == home(5000):
		return "none"
	case first == second:
		return "EIM"
	case second == third:
		return "ADM"
	}
	return "APDM"
}

func filteringOf(l *lab) string {
	seen := l.out(6000, a1)
	if !l.admits(a1, seen, 6000) {
		return "nothing comes in"
	}
	switch {
	case l.admits(b2, seen, 6000):
		return "EIF"
	case l.admits(a2, seen, 6000):
		return "ADF"
	}
	return "APDF"
}

func TestAllNineBehaviours(t *testing.T) {
	for _, mapping := range []string{"EIM", "ADM", "APDM"} {
		for _, filtering := range []string{"EIF", "ADF", "APDF"} {
			for _, ports := range []string{"preserve", "random", "sequential"} {
				l := newLab(t, Scenario{NAT: NATSpec{Mapping: mapping, Filtering: filtering, Ports: ports}})
				if got := mappingOf(l); got != mapping {
					t.Errorf("%s %s %s: got mapping %s, want %s", mapping, filtering, ports, got, mapping)
				}
				if got := filteringOf(l); got != filtering {
					t.Errorf("%s %s %s: got filtering %s, want %s", mapping, filtering, ports, got, filtering)
				}
				if kept := l.out(7000, a1).Port() == 7000; kept != (ports == "preserve") {
					t.Errorf("%s: got port kept %t, want %t", ports, kept, !kept)
				}
			}
		}
	}
}

func TestProvidersNATBehindTheHomes(t *testing.T) {
	l := newLab(t, Scenario{
		NAT: NATSpec{Mapping: "EIM", Filtering: "EIF"}, CGNAT: &NATSpec{Mapping: "APDM", Filtering: "ADF", Ports: "random"},
	})
	if seen := l.out(5000, a1); seen.Addr() != publicAddr {
		t.Errorf("got the source address %v, want Addr %v", seen, publicAddr)
	}
	if m, f := mappingOf(l), filteringOf(l); m != "APDM" || f != "ADF" {
		t.Errorf("%s, %s: want the stricter of both", m, f)
	}
}

func TestWithoutTranslation(t *testing.T) {
	for filtering, want := range map[string][2]bool{"": {true, true}, "ADF": {true, false}, "APDF": {false, false}} {
		l := newLab(t, Scenario{NAT: NATSpec{Mapping: "none", Filtering: filtering}})
		me := netip.AddrPortFrom(publicAddr, 5000)
		if got := l.give(atHome, udp(me, a1, 1), atServer); len(got) != 1 || got[0].src() != me {
			t.Fatalf("%q: got %v, want one packet from %v", filtering, got, me)
		}
		port := len(l.give(atServer, udp(a2, me, 1), atHome)) == 1
		other := len(l.give(atServer, udp(b2, me, 1), atHome)) == 1
		if port != want[0] || other != want[1] {
			t.Errorf("filtering %q: got other port %t, other host %t; want %t, %t", filtering, port, other, want[0], want[1])
		}
	}
}

func TestBindingsAreForgotten(t *testing.T) {
	for _, refresh := range []bool{false, true} {
		l := newLab(t, Scenario{NAT: NATSpec{Mapping: "EIM", Filtering: "EIF", Ports: "sequential", LifetimeS: 30, RefreshInbound: refresh}})
		seen := l.out(5000, a1)
		l.pass(20 * time.Second)
		if !l.admits(a1, seen, 5000) {
			t.Error("the binding expired after 20 of 30 s")
		}
		l.pass(20 * time.Second)
		if got := l.admits(a1, seen, 5000); got != refresh {
			t.Errorf("refresh by inbound %t: got alive %t after 40 s, want %t", refresh, got, refresh)
		}
		l.pass(31 * time.Second)
		if again := l.out(5000, a1); again == seen {
			t.Error("an expired binding got the same port again with sequential ports")
		}
	}
}

func TestHairpin(t *testing.T) {
	for _, hairpin := range []bool{false, true} {
		l := newLab(t, Scenario{NAT: NATSpec{Mapping: "EIM", Filtering: "EIF", Hairpin: hairpin}})
		target, other := l.out(5000, a1), l.out(6000, a1)
		got := l.give(atHome, udp(home(6000), target, 1), atHome)
		if (len(got) == 1) != hairpin {
			t.Fatalf("hairpin %t: got %d packets back, want one if true, otherwise none", hairpin, len(got))
		}
		if hairpin && (got[0].src() != other || got[0].dst() != home(5000)) {
			t.Errorf("got %v -> %v, want %v -> %v", got[0].src(), got[0].dst(), other, home(5000))
		}
	}
}

func TestPingAndErrorsFindHome(t *testing.T) {
	l := newLab(t, Scenario{NAT: homeRouter(), CGNAT: &NATSpec{Mapping: "EIM", Ports: "random"}})
	got := l.give(atHome, ping(home(77), server(0)), atServer)
	if len(got) != 1 {
		t.Fatal("got no ping at the server")
	}
	asked := got[0].src()
	if got = l.give(atServer, ping(server(0), asked), atHome); len(got) != 1 || got[0].dst() != home(77) {
		t.Errorf("got response %v, want one to %v", got, home(77))
	}

	seen := l.out(5000, a1)
	refused, ok := icmpError(serverAddr, udp(seen, a1, 10), icmpUnreachable, 3, 0)
	if !ok {
		t.Fatal("got no error")
	}
	if got = l.give(atServer, refused, atHome); len(got) != 1 {
		t.Fatal("the error does not arrive at the home")
	}
	if about, ok := got[0].carriesError(); !ok || about.src() != home(5000) || got[0].dst().Addr() != privateHome {
		t.Errorf("the error is about %v", about.src())
	}
}

func TestEachRouterAnswersWhenTheTTLEnds(t *testing.T) {
	l := newLab(t, Scenario{NAT: homeRouter()})
	for ttl, from := range map[byte]netip.Addr{1: privateGateway, 2: ispAddr} {
		p := udp(home(5000), a1, 10)
		before := []byte{p[8], p[9]}
		p[8] = ttl
		updateChecksum(p[10:], before, p[8:10])
		got := l.give(atHome, p, atHome)
		if len(got) != 1 || got[0].src().Addr() != from {
			t.Fatalf("TTL %d: got %d responses, want 1 from %v", ttl, len(got), from)
		}
		if about, ok := got[0].carriesError(); !ok || about.src() != home(5000) {
			t.Errorf("TTL %d: got no error about our packet", ttl)
		}
	}
}

func TestRoutersAreHosts(t *testing.T) {
	l := newLab(t, Scenario{NAT: homeRouter()})
	for host, addr := range map[int]netip.Addr{atGateway: privateGateway, atISP: ispAddr} {
		got := l.give(atHome, udp(home(5000), netip.AddrPortFrom(addr, 53), 5), host)
		if len(got) != 1 {
			t.Fatalf("%s: got %d packets, want 1", hostNames[host], len(got))
		}
		back := l.give(host, udp(got[0].dst(), got[0].src(), 5), atHome)
		if len(back) != 1 || back[0].dst() != home(5000) {
			t.Errorf("got the response of %s: %v, want one to %v", hostNames[host], back, home(5000))
		}
	}
}

func TestMTU(t *testing.T) {
	for _, silent := range []bool{false, true} {
		l := newLab(t, Scenario{NAT: homeRouter(), Access: both(Line{MTU: 1300, MTUSilent: silent})})
		if got := l.give(atHome, udp(home(5000), a1, 1272), atServer); len(got) != 1 {
			t.Error("1300 bytes do not pass an MTU of 1300")
		}
		seen := l.out(5000, a1)
		for from, p := range map[int]packet{atHome: udp(home(5000), a1, 1273), atServer: udp(a1, seen, 1273)} {
			got := l.give(from, p, from)
			if n := len(l.got[atServer-from]); n != 0 {
				t.Errorf("1301 bytes pass from %s", hostNames[from])
			}
			if (len(got) == 0) != silent {
				t.Fatalf("silent %t: got %d responses to %s, want none only if silent", silent, len(got), hostNames[from])
			}
			if silent {
				continue
			}
			about, ok := got[0].carriesError()
			if mtu := int(got[0].payload()[6])<<8 | int(got[0].payload()[7]); !ok || mtu != 1300 || from == atHome && about.src() != home(5000) {
				t.Errorf("%s: got an MTU of %d about %v, want 1300", hostNames[from], mtu, about.src())
			}
		}
	}
}

func TestPhasesAndTruth(t *testing.T) {
	dead := Segment{Up: []Phase{{Line: Line{DelayMS: 10}}, {From: 3 * time.Second, Line: Line{LossPct: 100}}}}
	l := newLab(t, Scenario{NAT: homeRouter(), Access: dead})
	if got := l.give(atHome, udp(home(5000), a1, 10), atServer); len(got) != 1 {
		t.Fatal("no packet passes in the first second")
	}
	l.pass(3 * time.Second)
	if got := l.give(atHome, udp(home(5000), a1, 10), atServer); len(got) != 0 {
		t.Error("a packet passes in the fourth second")
	}
	if p := l.truth[0]; p.DelayNS() != 10e6 || p.Arrived != "server" || p.From != home(5000) || p.To != a1 {
		t.Errorf("got truth %+v; want DelayNS 10e6, Arrived %q, From %v, To %v", p, "server", home(5000), a1)
	}
	if p := l.truth[1]; p.Dropped != "access: loss" || len(p.OutNS) != 0 {
		t.Errorf("got truth %+v; want Dropped %q, OutNS none", p, "access: loss")
	}
}

func TestSameSeedGivesSameResults(t *testing.T) {
	run := func(seed uint64) (lost []int) {
		r, err := newRoute(Scenario{NAT: homeRouter(), Access: both(Line{LossPct: 20})}, seed, 0, func(int, packet) {})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			r.send(atHome, udp(home(5000), a1, 10), int64(i))
			r.step(func() int64 { return int64(i) })
			if r.truth[i].Dropped != "" {
				lost = append(lost, i)
			}
		}
		return lost
	}
	same := func(a, b []int) bool {
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if a[i] != b[i] {
				return false
			}
		}
		return true
	}
	if first := run(1); !same(first, run(1)) || same(first, run(2)) || len(first) == 0 {
		t.Error("the results do not depend on the seed")
	}
}
