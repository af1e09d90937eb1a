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
	icmpProhibited   = 13 // code of icmpUnreachable: administratively prohibited
	icmpEcho         = 8
	icmpTimeExceeded = 11
)

// packet is a well-formed IPv4 or IPv6 packet, see parse. Only the boxes of a
// scenario examine the content above its transport header.
type packet []byte

// parse validates the lengths in a packet and truncates b to it.
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

// dontFragment is always true for IPv6, whose routers do not fragment (RFC 8200
// §4.5).
func (p packet) dontFragment() bool { return p.is6() || p[6]&0x40 != 0 }

// isFragment reports whether p is a fragment.
func (p packet) isFragment() bool {
	if p.is6() {
		return p.protocol() == fragmentHeader6
	}
	return binary.BigEndian.Uint16(p[6:])&0x3fff != 0
}

func (p packet) src() netip.AddrPort { return netip.AddrPortFrom(p.addr(0), p.port(0)) }
func (p packet) dst() netip.AddrPort { return netip.AddrPortFrom(p.addr(1), p.port(2)) }

// addr returns the source (0) or the destination (1).
func (p packet) addr(which int) netip.Addr {
	if p.is6() {
		return netip.AddrFrom16([16]byte(p[8+16*which:]))
	}
	return netip.AddrFrom4([4]byte(p[12+4*which:]))
}

// port returns the UDP or TCP port at offset 0 (source) or 2 (destination). For an
// echo request it is the identifier, in place of the requester's port.
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

// setEndpoint replaces an address and its port and updates the checksums, for IPv4
// only: IPv6 is not translated.
func (p packet) setEndpoint(addrAt, portAt int, a netip.AddrPort) {
	addr := a.Addr().As4()
	t := p.payload()
	if sum := p.transportSum(); sum >= 0 {
		updateChecksum(t[sum:], p[addrAt:addrAt+4], addr[:])
	}
	updateChecksum(p[10:], p[addrAt:addrAt+4], addr[:])
	copy(p[addrAt:], addr[:])

	port := binary.BigEndian.AppendUint16(nil, a.Port())
	switch p.protocol() {
	case protoUDP, protoTCP:
		if sum := p.transportSum(); sum >= 0 {
			updateChecksum(t[sum:], t[portAt:portAt+2], port)
		}
		copy(t[portAt:], port)
	case protoICMP:
		if t[0] == icmpEcho && portAt == 0 || t[0] == icmpEchoReply && portAt == 2 {
			updateChecksum(t[2:], t[4:6], port)
			copy(t[4:], port)
		}
	}
}

// transportSum returns the offset in the payload of the checksum that covers the
// addresses; -1 if there is none, as in ICMP, and in UDP without a checksum.
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

// countDown decrements the TTL; it returns false if it has expired.
func (p packet) countDown() bool {
	if p.is6() {
		if p[7] <= 1 {
			return false
		}
		p[7]-- // the hop limit, which is not part of a checksum
		return true
	}
	if p[8] <= 1 {
		return false
	}
	before := []byte{p[8], p[9]}
	p[8]--
	updateChecksum(p[10:], before, []byte{p[8], p[9]})
	return true
}

// updateChecksum updates a checksum for the replacement of before by after, both of even
// length (RFC 1624 §3, in the form that is correct for 0xffff too).
func updateChecksum(sum, before, after []byte) {
	s := uint32(^binary.BigEndian.Uint16(sum))
	for i := 0; i < len(before); i += 2 {
		s += uint32(^binary.BigEndian.Uint16(before[i:])) + uint32(binary.BigEndian.Uint16(after[i:]))
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	binary.BigEndian.PutUint16(sum, ^uint16(s))
}

// checksum returns the checksum of RFC 1071 over b, starting with start.
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

// pseudoSum returns the checksum over transport and pseudo header (RFC 768, RFC
// 8200 §8.1); it is 0 for a packet with a correct checksum.
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

// sumUDP recomputes the checksum of a UDP packet after its payload was modified.
func (p packet) sumUDP() {
	t := p.payload()
	t[6], t[7] = 0, 0
	sum := p.pseudoSum()
	if sum == 0 {
		sum = 0xffff // 0 means no checksum (RFC 768)
	}
	binary.BigEndian.PutUint16(t[6:], sum)
}

// carriesError reports whether p is an ICMP error, and returns the packet that it
// quotes: its header and at least eight bytes (RFC 792).
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

// sumICMP recomputes the checksum of an ICMP packet.
func (p packet) sumICMP() {
	t := p.payload()
	t[2], t[3] = 0, 0
	binary.BigEndian.PutUint16(t[2:], checksum(t, 0))
}

// icmpError returns the ICMP error of a router with the address from about a
// packet. There is none about an ICMP error (RFC 1122 §3.2.2).
func icmpError(from netip.Addr, about packet, kind, code byte, mtu int) (packet, bool) {
	if about.is6() {
		return icmpError6(from, about, kind, code, mtu)
	}
	if _, isError := about.carriesError(); isError || about.protocol() == protoICMP && about.payload()[0] != icmpEcho {
		return nil, false
	}
	quoted := about[:min(len(about), 548)] // total of 576 bytes (RFC 1812 §4.3.2.3)
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

// rtpHeader is the readable part of an RTP packet (RFC 3550 §5.1).
type rtpHeader struct {
	Seq   uint16
	Stamp uint32
	SSRC  uint32
}

// rtp parses the header that SRTP does not encrypt (RFC 3711 §3.1, ranges of RFC
// 7983 §7), also within a TURN ChannelData message (RFC 8656 §12.4).
func (p packet) rtp() (h rtpHeader, ok bool) {
	if p.protocol() != protoUDP {
		return rtpHeader{}, false
	}
	b := p.payload()[8:]
	if len(b) > 4 && b[0]&0xc0 == 0x40 {
		b = b[4:]
	}
	// RTCP has the second byte 192..223 (RFC 5761 §4).
	if len(b) < 12 || b[0]&0xc0 != 0x80 || b[1] >= 192 && b[1] <= 223 {
		return rtpHeader{}, false
	}
	return rtpHeader{binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])}, true
}
