package netbench

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Differences of IPv6 (RFC 8200). Extension headers are not parsed: a packet with
// one has no ports. No part of a check sends such packets.
const (
	header6Bytes    = 40
	fragmentHeader6 = 44
)

// Types of ICMPv6 (RFC 4443).
const (
	icmp6Unreachable  = 1
	icmp6TooBig       = 2
	icmp6TimeExceeded = 3
	icmp6Echo         = 128
)

func parse6(b []byte) (packet, bool) {
	total := header6Bytes + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return nil, false
	}
	p := packet(b[:total])
	if p.protocol() == protoICMP {
		return nil, false // the one for IPv4 does not apply
	}
	need := map[byte]int{protoUDP: 8, protoTCP: 20, protoICMPv6: 8}[p.protocol()]
	// Neighbour discovery and multicast listener messages are link-local and not
	// routed.
	return p, len(p.payload()) >= need && !p.addr(1).IsMulticast() && p.addr(0).IsGlobalUnicast()
}

// carriesError6 is carriesError for IPv6 (RFC 4443 §2.1).
func (p packet) carriesError6() (about packet, ok bool) {
	t := p.payload()
	if p.protocol() != protoICMPv6 || t[0] >= icmp6Echo || len(t) < 8+header6Bytes+8 {
		return nil, false
	}
	return packet(t[8:]), t[8]>>4 == 6
}

// icmpError6 is icmpError for IPv6, with the same meaning of kind.
func icmpError6(from netip.Addr, about packet, kind, code byte, mtu int) (packet, bool) {
	if _, isError := about.carriesError6(); isError {
		return nil, false
	}
	switch {
	case kind == icmpTimeExceeded:
		kind, code = icmp6TimeExceeded, 0
	case code == icmpFragNeeded:
		kind, code = icmp6TooBig, 0
	default:
		kind = icmp6Unreachable
	}
	const most = 1280 // RFC 4443 §2.4 (c): up to the minimum MTU
	quoted := about[:min(len(about), most-header6Bytes-8)]
	b := make([]byte, header6Bytes+8, most)
	src, dst := from.As16(), about.addr(0).As16()
	b[0], b[6], b[7] = 0x60, protoICMPv6, 64
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(quoted)))
	copy(b[8:], src[:])
	copy(b[24:], dst[:])
	b[header6Bytes], b[header6Bytes+1] = kind, code
	binary.BigEndian.PutUint32(b[header6Bytes+4:], uint32(mtu))
	p := packet(slices.Concat(b, quoted))
	binary.BigEndian.PutUint16(p.payload()[2:], p.pseudoSum())
	return p, true
}
