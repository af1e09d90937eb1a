package reflector

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/turn/v5"
)

// relaySockets creates the sockets of TURN allocations. They exchange packets with the media
// port, and binding requests with the STUN port, and nothing else, whatever permissions a
// client requests.
type relaySockets struct {
	media     *mediaPort
	stun      func() []netip.AddrPort // the addresses of the STUN port
	lifetime  time.Duration
	perSecond int
	count     *counters
}

// relayRate is sufficient for the echo sessions of one owner, with ICE and DTLS.
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
		UDPConn: conn, sockets: g, count: g.count,
		allow: newAllowance(g.perSecond, 2*g.perSecond), start: time.Now(),
		asked: map[netip.AddrPort]netip.AddrPort{},
	}
	// A client may refresh an allocation indefinitely. Its socket has a limited lifetime,
	// and the allocation ends with it.
	s.end = time.AfterFunc(g.lifetime, func() { _ = s.Close() })
	return s, conn.LocalAddr(), nil
}

// mayReach reports whether a client may have a permission for an address.
func (g *relaySockets) mayReach(_ net.Addr, peer net.IP) bool {
	ip := canonicalIP(peer)
	_, stun := g.stunAt(ip)
	if stun || g.media.ownsIP(ip) {
		return true
	}
	g.count.relayDropped.Add(1)
	return false
}

// stunAt returns the STUN port for ip, like [mediaPort.local] for the media port.
func (g *relaySockets) stunAt(ip netip.Addr) (netip.AddrPort, bool) {
	all := g.stun()
	for _, a := range all {
		if a.Addr() == ip {
			return a, true
		}
	}
	if g.media.ownsIP(ip) {
		for _, a := range all {
			if a.Addr().Is4() == ip.Is4() {
				return a, true
			}
		}
	}
	return netip.AddrPort{}, false
}

// destination returns the socket for a packet to name, if it is permitted.
func (g *relaySockets) destination(name netip.AddrPort, b []byte) (netip.AddrPort, bool) {
	if g.media.owns(name) {
		return g.media.local(name.Addr())
	}
	// Only binding requests: nested allocations have no use. No RESPONSE-PORT, because the
	// response would go to another port of ours.
	at, ok := g.stunAt(name.Addr())
	return at, ok && at.Port() == name.Port() && isBindingRequest(b) && !asksForElsewhere(b)
}

// relaySocket passes packets only between a TURN client and our own ports.
type relaySocket struct {
	*net.UDPConn
	sockets *relaySockets
	count   *counters
	end     *time.Timer

	mu    sync.Mutex
	allow allowance
	start time.Time
	// asked maps each local address to the address that the client used, so that the
	// response comes from it (MediaIPs behind 1:1 NAT).
	asked map[netip.AddrPort]netip.AddrPort
}

// WriteTo drops everything that is not for our own ports, as a network would.
func (s *relaySocket) WriteTo(b []byte, to net.Addr) (int, error) {
	udp, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("relay to a %T", to)
	}
	name := netip.AddrPortFrom(canonicalIP(udp.IP), uint16(udp.Port))
	local, ok := s.sockets.destination(name, b)
	if !ok || !s.take() {
		s.count.relayDropped.Add(1)
		return len(b), nil
	}
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

// ReadFrom returns packets from our own ports, and ignores all others.
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
