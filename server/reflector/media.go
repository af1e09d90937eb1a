package reflector

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// mediaPort is the port of the echo: UDP sockets and a TCP listener, and the mapping of new
// peers to sessions.
type mediaPort struct {
	sockets *ports
	named   []netip.AddrPort // Config.MediaIPs; empty means the present addresses
	tcp     *boundedListener
	count   *counters
	work    sync.WaitGroup // the reading goroutines

	mu      sync.RWMutex
	byUfrag map[string]*session
	closed  bool
	conns   map[net.Conn]struct{} // TCP
}

func openMedia(cfg Config, present []netip.Addr, count *counters) (*mediaPort, error) {
	m := &mediaPort{count: count, byUfrag: map[string]*session{}, conns: map[net.Conn]struct{}{}}
	var err error
	m.sockets, err = openPorts(cfg.MediaListen, present, cfg, func(conn *net.UDPConn) error {
		m.work.Go(newUDPDoor(m, conn, cfg.Now).serve)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the media port: %w", err)
	}
	for _, ip := range cfg.MediaIPs {
		m.named = append(m.named, netip.AddrPortFrom(ip.Unmap(), m.sockets.port))
	}
	m.tcp = newBoundedListener(m.sockets.tcp, cfg.Limits)
	m.work.Go(func() { m.serveTCP(cfg.Now) })
	return m, nil
}

// follow updates the sockets to the present addresses.
func (m *mediaPort) follow(present []netip.Addr) { m.sockets.follow(present) }

// addresses returns the addresses that are served now.
func (m *mediaPort) addresses() []netip.AddrPort { return m.sockets.addresses() }

// advertised returns the addresses for answers and permissions.
func (m *mediaPort) advertised() []netip.AddrPort {
	if len(m.named) > 0 {
		return m.named
	}
	return m.addresses()
}

// Close returns when all reading has stopped.
func (m *mediaPort) Close() error {
	m.mu.Lock()
	m.closed = true
	for c := range m.conns {
		_ = c.Close()
	}
	m.mu.Unlock()
	err := ignoreClosed(errors.Join(m.sockets.Close()))
	m.work.Wait()
	return err
}

// enter makes a session reachable by its ICE user fragment.
func (m *mediaPort) enter(s *session) {
	m.mu.Lock()
	m.byUfrag[s.ufrag] = s
	m.mu.Unlock()
}

func (m *mediaPort) leave(s *session) {
	m.mu.Lock()
	delete(m.byUfrag, s.ufrag)
	m.mu.Unlock()
}

func (m *mediaPort) sessionOf(ufrag string) *session {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byUfrag[ufrag]
}

// canonicalIP converts a peer's IP to the form of the address lists.
func canonicalIP(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// owns reports whether addr is the media port, with a local or an advertised address.
func (m *mediaPort) owns(addr netip.AddrPort) bool {
	return addr.Port() == m.sockets.port && m.ownsIP(addr.Addr())
}

func (m *mediaPort) ownsIP(ip netip.Addr) bool {
	_, ok := m.local(ip)
	return ok
}

// local returns the bound address for ip: itself, or for an advertised address that no
// interface has, one of the same family.
func (m *mediaPort) local(ip netip.Addr) (netip.AddrPort, bool) {
	for _, a := range m.addresses() {
		if a.Addr() == ip {
			return a, true
		}
	}
	for _, adv := range m.named {
		if adv.Addr() == ip {
			return m.sameFamily(ip)
		}
	}
	return netip.AddrPort{}, false
}

func (m *mediaPort) sameFamily(ip netip.Addr) (netip.AddrPort, bool) {
	for _, a := range m.addresses() {
		if a.Addr().Is4() == ip.Is4() {
			return a, true
		}
	}
	return netip.AddrPort{}, false
}
