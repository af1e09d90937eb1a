package netbench

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func home(port uint16) netip.AddrPort   { return netip.AddrPortFrom(privateHome, port) }
func server(port uint16) netip.AddrPort { return netip.AddrPortFrom(serverAddr, port) }

// build returns a packet with correct checksums.
func build(protocol byte, from, to netip.AddrPort, transport []byte) packet {
	b := make([]byte, 20, 20+len(transport))
	b[0], b[6], b[8], b[9] = 0x45, 0x40, 64, protocol
	src, dst := from.Addr().As4(), to.Addr().As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(transport)))
	binary.BigEndian.PutUint16(b[10:], checksum(b, 0))
	p := packet(append(b, transport...))
	if at := p.transportSum(); at >= 0 {
		t := p.payload()
		t[at], t[at+1] = 0, 0
		binary.BigEndian.PutUint16(t[at:], p.pseudoSum())
	}
	return p
}

func udp(from, to netip.AddrPort, size int) packet {
	b := make([]byte, 8+size)
	binary.BigEndian.PutUint16(b, from.Port())
	binary.BigEndian.PutUint16(b[2:], to.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	b[6] = 1 // has a checksum
	return build(protoUDP, from, to, b)
}

func tcp(from, to netip.AddrPort) packet {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, from.Port())
	binary.BigEndian.PutUint16(b[2:], to.Port())
	b[12] = 5 << 4
	return build(protoTCP, from, to, b)
}

func ping(from, to netip.AddrPort) packet {
	b := make([]byte, 16)
	b[0] = icmpEcho
	if from.Port() == 0 {
		b[0] = icmpEchoReply
	}
	binary.BigEndian.PutUint16(b[4:], max(from.Port(), to.Port()))
	p := build(protoICMP, from, to, b)
	p.sumICMP()
	return p
}

// wantChecksums verifies all checksums of a packet.
func wantChecksums(t *testing.T, p packet) {
	t.Helper()
	if !p.is6() && checksum(p[:p.headerBytes()], 0) != 0 {
		t.Errorf("header checksum of %v -> %v", p.src(), p.dst())
	}
	switch {
	case p.protocol() == protoICMP:
		if checksum(p.payload(), 0) != 0 {
			t.Errorf("ICMP checksum of %v -> %v", p.src(), p.dst())
		}
	case p.transportSum() >= 0 && p.pseudoSum() != 0:
		t.Errorf("transport checksum of %v -> %v", p.src(), p.dst())
	}
}

func TestRewritingKeepsChecksums(t *testing.T) {
	to := netip.MustParseAddrPort("203.0.113.77:65535")
	for _, p := range []packet{
		udp(home(1), server(3480), 0), udp(home(65535), server(1), 33), tcp(home(40000), server(443)), ping(home(7), server(0)),
	} {
		wantChecksums(t, p)
		p.setSrc(to)
		wantChecksums(t, p)
		p.setDst(netip.AddrPortFrom(to.Addr(), p.dst().Port()))
		if !p.countDown() {
			t.Error("a TTL of 64 expired")
		}
		wantChecksums(t, p)
		if p.src() != to || p.dst().Addr() != to.Addr() {
			t.Errorf("rewritten to %v -> %v", p.src(), p.dst())
		}
	}
}

func TestRTPIsRecognised(t *testing.T) {
	rtp := []byte{0x80, 111, 0x12, 0x34, 0, 0, 3, 0xc0, 1, 2, 3, 4, 9}
	with := func(b []byte) packet {
		p := udp(home(1), server(3480), len(b))
		copy(p.payload()[8:], b)
		return p
	}
	if h, ok := with(rtp).rtp(); !ok || h.Seq != 0x1234 || h.Stamp != 960 || h.SSRC != 0x01020304 {
		t.Errorf("RTP: got %+v, %t; want 0x1234, 960, 0x01020304, true", h, ok)
	}
	if h, ok := with(append([]byte{0x40, 0, 0, 13}, rtp...)).rtp(); !ok || h.Seq != 0x1234 {
		t.Error("RTP in ChannelData is not recognised")
	}
	rtcp := append([]byte{0x80, 200}, rtp[2:]...)
	stun := append([]byte{0, 1}, rtp[2:]...)
	dtls := append([]byte{22, 254}, rtp[2:]...)
	for name, b := range map[string][]byte{"RTCP": rtcp, "STUN": stun, "DTLS": dtls, "short": rtp[:8], "empty": nil} {
		if _, ok := with(b).rtp(); ok {
			t.Errorf("%s is mistaken for RTP", name)
		}
	}
}

// FuzzPacket checks that no packet stops the router, and that it forwards only
// packets that it can parse itself.
func FuzzPacket(f *testing.F) {
	f.Add([]byte(udp(home(5000), server(3480), 20)), true)
	f.Add([]byte(tcp(home(5000), server(443))), true)
	f.Add([]byte(ping(home(9), server(0))), false)
	f.Add([]byte(udp6(home6(5000), server6(3478), 200)), true)
	if e, ok := icmpError(isp6Addr, udp6(home6(5000), server6(3478), 20), icmpTimeExceeded, 0, 0); ok {
		f.Add([]byte(e), false)
	}
	if e, ok := icmpError(serverAddr, udp(home(5000), server(3480), 20), icmpUnreachable, 3, 0); ok {
		f.Add([]byte(e), false)
	}
	s := Scenario{NAT: NATSpec{Hairpin: true, ALG: true}, STUN: STUNSpec{Answers: "nonsense"}, CGNAT: &NATSpec{Mapping: "APDM"}, Access: both(Line{MTU: 100, Block: []string{"tcp/25"}})}
	f.Fuzz(func(t *testing.T, b []byte, fromHome bool) {
		now := int64(0)
		r, err := newRoute(s, 1, 0, func(_ int, p packet) {
			if _, ok := parse(p); !ok {
				t.Errorf("forwarded a packet that cannot be parsed: %x", p)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for host := range hosts {
			p, ok := parse(append([]byte(nil), b...))
			if !ok {
				return
			}
			r.send(host, p, now)
			for range 20 {
				now += 1e9
				r.step(func() int64 { return now })
			}
		}
	})
}
