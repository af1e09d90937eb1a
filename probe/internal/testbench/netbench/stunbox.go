package netbench

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// STUNSpec is a faulty STUN server over UDP. Connectivity checks on the media port
// are not affected.
type STUNSpec struct {
	// Answers is nonsense, wrong_id (another transaction's), late (after 4 s),
	// twice, other_address (from the server's second address) or none.
	Answers string `toml:"answers"`
}

func (s STUNSpec) validate() error {
	if !slices.Contains([]string{"", "nonsense", "wrong_id", "late", "twice", "other_address", "none"}, s.Answers) {
		return fmt.Errorf("answers = %q: want nonsense, wrong_id, late, twice, other_address or none", s.Answers)
	}
	return nil
}

const stunPort = 3478

// Values of RFC 8489.
const (
	stunHeaderBytes   = 20
	stunMagicCookie   = 0x2112A442
	stunMappedAddress = 0x0001
	stunClassResponse = 0x0100 // success response
)

// stun returns the STUN message of a UDP packet; nil if it is none.
func (p packet) stun() []byte {
	if p.protocol() != protoUDP {
		return nil
	}
	m := p.payload()[8:]
	if len(m) < stunHeaderBytes || binary.BigEndian.Uint32(m[4:]) != stunMagicCookie ||
		len(m) != stunHeaderBytes+int(binary.BigEndian.Uint16(m[2:])) {
		return nil
	}
	return m
}

// spoil modifies a response of the STUN port in place, and returns the number of
// copies and their delay.
func (s STUNSpec) spoil(p packet) (copies int, late time.Duration) {
	m := p.stun()
	if s.Answers == "" || m == nil || p.src().Port() != stunPort {
		return 1, 0
	}
	switch s.Answers {
	case "none":
		return 0, 0
	case "late":
		return 1, 4 * time.Second
	case "twice":
		return 2, 0
	case "other_address":
		p.setSrc(netip.AddrPortFrom(serverOther, stunPort))
	case "wrong_id":
		m[19] ^= 0xff
		p.sumUDP()
	case "nonsense":
		for i := range m {
			m[i] = byte(i * 37)
		}
		p.sumUDP()
	}
	return 1, 0
}

// rewriteMapped modifies a response like an application layer gateway that replaces the
// external address in payloads: MAPPED-ADDRESS becomes the internal address.
// XOR-MAPPED-ADDRESS, which was designed against this, stays correct (RFC 8489 §14.2).
func (p packet) rewriteMapped(inner netip.AddrPort) {
	m := p.stun()
	if m == nil || binary.BigEndian.Uint16(m)&stunClassResponse == 0 {
		return
	}
	for a := m[stunHeaderBytes:]; len(a) >= 4; {
		kind, size := binary.BigEndian.Uint16(a), int(binary.BigEndian.Uint16(a[2:]))
		if len(a) < 4+size {
			return
		}
		if kind == stunMappedAddress && size == 8 && a[5] == 1 { // IPv4
			binary.BigEndian.PutUint16(a[6:], inner.Port())
			addr := inner.Addr().As4()
			copy(a[8:], addr[:])
			p.sumUDP()
		}
		a = a[min(len(a), 4+(size+3)&^3):]
	}
}
