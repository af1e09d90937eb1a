package reflector

import (
	"net"
	"net/netip"
	"time"
)

// path is a path to a client that has proved, by a connectivity check with the
// session's password, that it receives there. Nothing is sent on any other path.
type path struct {
	session *session
	remote  net.Addr // precomputed for the system calls
	// write sends one packet at once.
	write func([]byte) error
	// close removes the path, and closes a TCP connection.
	close func()
}

// kind identifies the protocol by the first byte (RFC 7983 §7).
type kind int

const (
	kindOther kind = iota
	kindSTUN
	kindDTLS
	kindRTP
	kindRTCP
)

func kindOf(b []byte) kind {
	switch {
	case len(b) < 2:
		return kindOther
	case b[0] <= 3:
		return kindSTUN
	case b[0] >= 20 && b[0] <= 63:
		return kindDTLS
	case b[0] >= 128 && b[0] <= 191 && b[1] >= 192 && b[1] <= 223: // RFC 5761 §4
		return kindRTCP
	case b[0] >= 128 && b[0] <= 191:
		return kindRTP
	}
	return kindOther
}

// maxPaths limits the open paths of one session: an agent tries from each of its addresses,
// directly and relayed, over UDP and TCP.
const maxPaths = 32

// outlet sends echoes, at once or in a batch.
type outlet interface {
	put(p *path, e echo)
}

// atOnce is the outlet of paths without a batch.
type atOnce struct{}

func (atOnce) put(p *path, e echo) {
	leftNS := p.session.r.sinceNS()
	p.session.answered(e, leftNS, p.write(e.packet))
}

// arrive passes a packet of a known path to its session.
func (p *path) arrive(b []byte, at time.Time, scratch []byte, out outlet) {
	switch kindOf(b) {
	case kindDTLS:
		p.session.keying.arrive(p, b)
	case kindRTP:
		p.session.receive(p, b, at, scratch, out)
	}
}

func addrPortOf(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.AddrPort()
	case *net.TCPAddr:
		return a.AddrPort()
	}
	return netip.AddrPort{}
}
