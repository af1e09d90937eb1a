package reflect

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/turn/v5"
)

// relaySockets makes the sockets of TURN allocations. They talk to the media
// port and to nothing else, whatever permissions a client asks for.
type relaySockets struct {
	media     *mediaPort
	lifetime  time.Duration
	perSecond int
	count     *counters
}

// relayRate leaves room for the echo sessions of one owner beside ICE and DTLS.
func relayRate(l Limits) int { return 2 * l.PacketsPerSecond }

var errNoTCPRelay = errors.New("TCP allocations (RFC 6062) are not offered")

// Validate implements turn.RelayAddressGenerator.
func (*relaySockets) Validate() error { return nil }

// AllocateListener implements turn.RelayAddressGenerator.
func (*relaySockets) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCPRelay
}

// AllocateConn implements turn.RelayAddressGenerator.
func (*relaySockets) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) {
	return nil, errNoTCPRelay
}

// AllocatePacketConn implements turn.RelayAddressGenerator.
func (g *relaySockets) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	family := netip.IPv4Unspecified()
	if c.Network == "udp6" {
		family = netip.IPv6Unspecified()
	}
	at, ok := g.media.sameFamily(family)
	if !ok {
		return nil, nil, fmt.Errorf("no media address for %s", c.Network)
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), 0)))
	if err != nil {
		return nil, nil, fmt.Errorf("open a relay socket: %w", err)
	}
	s := &relaySocket{
		UDPConn: conn, media: g.media, count: g.count,
		allow: newAllowance(g.perSecond, 2*g.perSecond), start: time.Now(),
		asked: map[netip.AddrPort]netip.AddrPort{},
	}
	// A client may refresh an allocation for ever; its socket does not live so
	// long, and the allocation ends with it.
	s.end = time.AfterFunc(g.lifetime, func() { _ = s.Close() })
	return s, conn.LocalAddr(), nil
}

// relaySocket passes packets between a TURN client and the media port only.
type relaySocket struct {
	*net.UDPConn
	media *mediaPort
	count *counters
	end   *time.Timer

	mu    sync.Mutex
	allow allowance
	start time.Time
	// asked is under which name the client addressed each local address, so
	// that the answer comes from that name (MediaIPs behind 1:1 NAT).
	asked map[netip.AddrPort]netip.AddrPort
}

// WriteTo drops whatever is not for the media port, as a network would.
func (s *relaySocket) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("relay to a %T", to)
	}
	name := netip.AddrPortFrom(canonicalIP(udp.IP), uint16(udp.Port))
	if !s.media.owns(name) || !s.take() {
		s.count.relayDropped.Add(1)
		return len(b), nil
	}
	local, _ := s.media.local(name.Addr())
	s.mu.Lock()
	s.asked[local] = name
	s.mu.Unlock()
	return s.UDPConn.WriteToUDPAddrPort(b, local)
}

func (s *relaySocket) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allow.take(int64(time.Since(s.start)))
}

// ReadFrom returns what the media port sent, and ignores everybody else.
func (s *relaySocket) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := s.UDPConn.ReadFromUDPAddrPort(b)
		if err != nil {
			return n, nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		s.mu.Lock()
		name, ok := s.asked[from]
		s.mu.Unlock()
		if !ok {
			s.count.relayDropped.Add(1)
			continue
		}
		return n, net.UDPAddrFromAddrPort(name), nil
	}
}

// Close ends the allocation.
func (s *relaySocket) Close() error {
	s.end.Stop()
	return s.UDPConn.Close()
}
