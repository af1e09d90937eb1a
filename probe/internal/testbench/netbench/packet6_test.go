package netbench

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func home6(port uint16) netip.AddrPort   { return netip.AddrPortFrom(home6Addr, port) }
func server6(port uint16) netip.AddrPort { return netip.AddrPortFrom(server6Addr, port) }

func udp6(from, to netip.AddrPort, size int) packet {
	b := make([]byte, header6Bytes+8+size)
	src, dst := from.Addr().As16(), to.Addr().As16()
	b[0], b[6], b[7] = 0x60, protoUDP, 64
	binary.BigEndian.PutUint16(b[4:], uint16(8+size))
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	p := packet(b)
	t := p.payload()
	binary.BigEndian.PutUint16(t, from.Port())
	binary.BigEndian.PutUint16(t[2:], to.Port())
	binary.BigEndian.PutUint16(t[4:], uint16(8+size))
	p.sumUDP()
	return p
}

func TestIPv6PassesWithoutTranslation(t *testing.T) {
	l := newLab(t, Scenario{NAT: NATSpec{Mapping: "APDM"}, IPv6: true})
	got := l.give(atHome, udp6(home6(5000), server6(3478), 10), atServer)
	if len(got) != 1 || got[0].src() != home6(5000) {
		t.Fatalf("got %v at the server, want one packet from %v", got, home6(5000))
	}
	if back := l.give(atServer, udp6(server6(3478), home6(5000), 10), atHome); len(back) != 1 {
		t.Error("the response does not reach the home")
	}
	if back := l.give(atServer, udp6(server6(3479), home6(5000), 10), atHome); len(back) != 0 {
		t.Error("the router permits unsolicited packets")
	}
}

func TestIPv6Routers(t *testing.T) {
	l := newLab(t, Scenario{IPv6: true, Access: both(Line{MTU: 1300})})
	for hops, from := range map[byte]netip.Addr{1: gateway6Addr, 2: isp6Addr} {
		p := udp6(home6(5000), server6(3478), 10)
		p[7] = hops
		got := l.give(atHome, p, atHome)
		if len(got) != 1 || got[0].src().Addr() != from || got[0].payload()[0] != icmp6TimeExceeded || got[0].pseudoSum() != 0 {
			t.Fatalf("hop limit %d: got %v, want an ICMPv6 error from %v", hops, got, from)
		}
		if about, ok := got[0].carriesError(); !ok || about.src() != home6(5000) {
			t.Errorf("hop limit %d: no error about our packet", hops)
		}
	}
	got := l.give(atHome, udp6(home6(5000), server6(3478), 1300), atHome)
	if len(got) != 1 || got[0].payload()[0] != icmp6TooBig || binary.BigEndian.Uint32(got[0].payload()[4:]) != 1300 {
		t.Errorf("too big: got %v, want an ICMPv6 error with an MTU of 1300", got)
	}
}

func TestBrokenIPv6LeavesIPv4Alone(t *testing.T) {
	l := newLab(t, Scenario{NAT: homeRouter(), IPv6: true, Access: both(Line{Block: []string{"ipv6"}})})
	if got := l.give(atHome, udp6(home6(5000), server6(3478), 10), atServer); len(got) != 0 {
		t.Error("IPv6 passes")
	}
	if got := l.give(atHome, udp(home(5000), a1, 10), atServer); len(got) != 1 {
		t.Error("IPv4 does not pass")
	}
}
