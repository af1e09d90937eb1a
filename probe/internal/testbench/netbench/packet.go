package netbench

import (
	"encoding/binary"
	"net/netip"
)

const (
	protoICMP   byte = 1
	protoTCP    byte = 6
	protoUDP    byte = 17
	protoICMPv6 byte = 58
)

// Types and codes of ICMP (RFC 792, RFC 1191).
const (
	icmpEchoReply    = 0
	icmpUnreachable  = 3
	icmpFragNeeded   = 4  // code of icmpUnreachable
	icmpProhibited   = 13 // code of icmpUnreachable: by administration
	icmpEcho         = 8
	icmpTimeExceeded = 11
)

// packet is an IPv4 or IPv6 packet. Only a well-formed one gets this type, see
// parse; below its transport header only the boxes of a scenario look.
type packet []byte

// parse takes a packet whose lengths add up; the rest of b is cut off.
func parse(b []byte) (packet, bool) {
	if len(b) >= 40 && b[0]>>4 == 6 {
		return parse6(b)
	}
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

func (p packet) is6() bool { return p[0]>>4 == 6 }

func (p packet) headerBytes() int {
	if p.is6() {
		return header6Bytes
	}
	return int(p[0]&15) * 4
}

func (p packet) protocol() byte {
	if p.is6() {
		return p[6]
	}
	return p[9]
}

func (p packet) payload() []byte { return p[p.headerBytes():] }

// dontFragment is always so in IPv6, whose routers never do (RFC 8200 §4.5).
func (p packet) dontFragment() bool { return p.is6() || p[6]&0x40 != 0 }

// isFragment is true for every part of a packet in several parts.
func (p packet) isFragment() bool {
	if p.is6() {
		return p.protocol() == fragmentHeader6
	}
	return binary.BigEndian.Uint16(p[6:])&0x3fff != 0
}

func (p packet) src() netip.AddrPort { return netip.AddrPortFrom(p.addr(0), p.port(0)) }
func (p packet) dst() netip.AddrPort { return netip.AddrPortFrom(p.addr(1), p.port(2)) }

// addr is that of the sender (0) or of the receiver (1).
func (p packet) addr(which int) netip.Addr {
	if p.is6() {
		return netip.AddrFrom16([16]byte(p[8+16*which:]))
	}
	return netip.AddrFrom4([4]byte(p[12+4*which:]))
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

// setEndpoint writes an address and its port and mends the checksums. It is for
// IPv4: nothing here translates IPv6.
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
	if p.is6() {
		if p[7] <= 1 {
			return false
		}
		p[7]-- // the hop limit, which no checksum covers
		return true
	}
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

// pseudoSum is the checksum over transport and pseudo header (RFC 768, RFC 8200
// §8.1); over a packet that carries a right one it gives 0.
func (p packet) pseudoSum() uint16 {
	s := uint32(p.protocol()) + uint32(len(p.payload()))
	addresses := p[12:20]
	if p.is6() {
		addresses = p[8:40]
	}
	for i := 0; i < len(addresses); i += 2 {
		s += uint32(binary.BigEndian.Uint16(addresses[i:]))
	}
	return checksum(p.payload(), s)
}

// sumUDP computes the checksum of a UDP packet anew, after its payload changed.
func (p packet) sumUDP() {
	t := p.payload()
	t[6], t[7] = 0, 0
	sum := p.pseudoSum()
	if sum == 0 {
		sum = 0xffff // 0 would say that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(t[6:], sum)
}

// carriesError says whether p is an ICMP error, and gives the packet it is
// about: its header and at least eight bytes (RFC 792).
func (p packet) carriesError() (about packet, ok bool) {
	t := p.payload()
	if p.is6() {
		return p.carriesError6()
	}
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
	if about.is6() {
		return icmpError6(from, about, kind, code, mtu)
	}
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
