package bench

import (
	"encoding/binary"
	"net/netip"
)

const (
	protoICMP byte = 1
	protoTCP  byte = 6
	protoUDP  byte = 17
)

// Types and codes of ICMP (RFC 792, RFC 1191).
const (
	icmpEchoReply    = 0
	icmpUnreachable  = 3
	icmpFragNeeded   = 4 // code of icmpUnreachable
	icmpEcho         = 8
	icmpTimeExceeded = 11
)

// packet is an IPv4 packet. Only a well-formed one gets this type, see parse;
// the payload below its transport header is never looked into by the router.
type packet []byte

// parse takes a packet whose lengths add up; the rest of b is cut off.
func parse(b []byte) (packet, bool) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return nil, false
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || total < header || total > len(b) {
		return nil, false
	}
	p := packet(b[:total])
	need := map[byte]int{protoUDP: 8, protoTCP: 20, protoICMP: 8}[p.protocol()]
	if len(p.payload()) < need {
		return nil, false
	}
	return p, true
}

func (p packet) headerBytes() int { return int(p[0]&15) * 4 }
func (p packet) protocol() byte   { return p[9] }
func (p packet) payload() []byte  { return p[p.headerBytes():] }
func (p packet) dontFragment() bool {
	return p[6]&0x40 != 0
}

// isFragment is true for every part of a packet in several parts.
func (p packet) isFragment() bool { return binary.BigEndian.Uint16(p[6:])&0x3fff != 0 }

func (p packet) src() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[12:16])), p.port(0))
}

func (p packet) dst() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[16:20])), p.port(2))
}

// port is the port at offset 0 or 2 of UDP and TCP. The identifier of a ping
// takes the place of the port of the one who asks.
func (p packet) port(offset int) uint16 {
	t := p.payload()
	switch p.protocol() {
	case protoUDP, protoTCP:
		return binary.BigEndian.Uint16(t[offset:])
	case protoICMP:
		if t[0] == icmpEcho && offset == 0 || t[0] == icmpEchoReply && offset == 2 {
			return binary.BigEndian.Uint16(t[4:])
		}
	}
	return 0
}

func (p packet) setSrc(a netip.AddrPort) { p.setEndpoint(12, 0, a) }
func (p packet) setDst(a netip.AddrPort) { p.setEndpoint(16, 2, a) }

// setEndpoint writes an address and its port and mends the checksums.
func (p packet) setEndpoint(addrAt, portAt int, a netip.AddrPort) {
	addr := a.Addr().As4()
	t := p.payload()
	if sum := p.transportSum(); sum >= 0 {
		mend(t[sum:], p[addrAt:addrAt+4], addr[:])
	}
	mend(p[10:], p[addrAt:addrAt+4], addr[:])
	copy(p[addrAt:], addr[:])

	port := binary.BigEndian.AppendUint16(nil, a.Port())
	switch p.protocol() {
	case protoUDP, protoTCP:
		if sum := p.transportSum(); sum >= 0 {
			mend(t[sum:], t[portAt:portAt+2], port)
		}
		copy(t[portAt:], port)
	case protoICMP:
		if t[0] == icmpEcho && portAt == 0 || t[0] == icmpEchoReply && portAt == 2 {
			mend(t[2:], t[4:6], port)
			copy(t[4:], port)
		}
	}
}

// transportSum is where in the payload the checksum is that covers the
// addresses too; -1 for none: ICMP, and UDP without a checksum.
func (p packet) transportSum() int {
	t := p.payload()
	switch {
	case p.protocol() == protoTCP && len(t) >= 18:
		return 16
	case p.protocol() == protoUDP && len(t) >= 8 && binary.BigEndian.Uint16(t[6:]) != 0:
		return 6
	}
	return -1
}

// countDown takes one off the TTL; false when the packet's life is over.
func (p packet) countDown() bool {
	if p[8] <= 1 {
		return false
	}
	before := []byte{p[8], p[9]}
	p[8]--
	mend(p[10:], before, []byte{p[8], p[9]})
	return true
}

// mend brings a checksum up to date after before has become after, both of even
// length (RFC 1624 §3, the form that is right for 0xffff too).
func mend(sum, before, after []byte) {
	s := uint32(^binary.BigEndian.Uint16(sum))
	for i := 0; i < len(before); i += 2 {
		s += uint32(^binary.BigEndian.Uint16(before[i:])) + uint32(binary.BigEndian.Uint16(after[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	binary.BigEndian.PutUint16(sum, ^uint16(s))
}

// checksum is that of RFC 1071 over b, started from start.
func checksum(b []byte, start uint32) uint16 {
	s := start
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

// carriesError says whether p is an ICMP error, and gives the packet it is
// about: its header and at least eight bytes (RFC 792).
func (p packet) carriesError() (about packet, ok bool) {
	t := p.payload()
	if p.protocol() != protoICMP || t[0] != icmpUnreachable && t[0] != icmpTimeExceeded || len(t) < 8+28 {
		return nil, false
	}
	about = packet(t[8:])
	if about[0]>>4 != 4 || about.headerBytes() < 20 || len(about) < about.headerBytes()+8 {
		return nil, false
	}
	return about, true
}

// sumICMP computes the checksum of an ICMP packet anew.
func (p packet) sumICMP() {
	t := p.payload()
	t[2], t[3] = 0, 0
	binary.BigEndian.PutUint16(t[2:], checksum(t, 0))
}

// icmpError is what a router at from answers to about. There is none to an ICMP
// error (RFC 1122 §3.2.2).
func icmpError(from netip.Addr, about packet, kind, code byte, mtu int) (packet, bool) {
	if _, isError := about.carriesError(); isError || about.protocol() == protoICMP && about.payload()[0] != icmpEcho {
		return nil, false
	}
	quoted := about[:min(len(about), 548)] // as much as fits 576 bytes (RFC 1812 §4.3.2.3)
	b := make([]byte, 28, 28+len(quoted))
	src, dst := from.As4(), about.src().Addr().As4()
	b[0], b[6], b[8], b[9] = 0x45, 0x40, 64, protoICMP
	binary.BigEndian.PutUint16(b[2:], uint16(28+len(quoted)))
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	binary.BigEndian.PutUint16(b[10:], checksum(b[:20], 0))
	b[20], b[21] = kind, code
	binary.BigEndian.PutUint16(b[26:], uint16(mtu)) // RFC 1191 §4
	p := packet(append(b, quoted...))
	p.sumICMP()
	return p, true
}

// rtp reads the header that SRTP leaves readable (RFC 3711 §3.1, the ranges of
// RFC 7983 §7), also inside a TURN ChannelData message (RFC 8656 §12.4).
func (p packet) rtp() (seq uint16, ssrc uint32, ok bool) {
	if p.protocol() != protoUDP {
		return 0, 0, false
	}
	b := p.payload()[8:]
	if len(b) > 4 && b[0]&0xc0 == 0x40 {
		b = b[4:]
	}
	// RTCP has the second byte 192..223 (RFC 5761 §4).
	if len(b) < 12 || b[0]&0xc0 != 0x80 || b[1] >= 192 && b[1] <= 223 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:]), true
}
