package reflect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/bind"
)

const (
	// socketBytes is asked of the kernel for each UDP socket: at 50,000
	// packets/s the usual 200 kB are full after 5 ms of a busy processor, and
	// what is lost there would be blamed on a participant's line.
	socketBytes = 16 << 20
	// leastSocketBytes is enough for some dozen streams.
	leastSocketBytes = 1 << 20
)

// ports are the sockets of one port: a UDP socket for every address and one TCP
// listener.
//
// There is one socket per address, not one for all: a socket on the wildcard
// address answers from whichever address the route prefers, and a client drops
// answers from an address it did not ask. Telling it with each packet
// (IP_PKTINFO) exists on some systems only and the TURN library does not do it.
// Addresses that come later therefore get a socket when they come.
type ports struct {
	port  uint16
	fixed []netip.Addr // those that were configured; nil: all there are
	only4 bool
	keep  time.Duration // how long a socket outlives its address
	now   func() time.Time
	log   *slog.Logger
	tcp   net.Listener
	// opened takes a new socket into service. It must not wait.
	opened func(*net.UDPConn) error

	mu     sync.Mutex
	udp    map[netip.Addr]*boundSocket
	usable []netip.AddrPort // bound, and the machine has the address now
	faults map[netip.Addr]error
	closed bool
}

type boundSocket struct {
	conn *net.UDPConn
	gone time.Time // since when the address is away; zero while it is there
}

// openPorts listens on host:port with the addresses that are present. A port of 0
// becomes one that is free on all of them for both protocols. opened is called for
// each UDP socket, by then and later.
func openPorts(hostport string, present []netip.Addr, cfg Config, opened func(*net.UDPConn) error) (*ports, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", hostport, err)
	}
	port, err := net.LookupPort("udp", portText)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", hostport, err)
	}
	fixed, only4, err := hostAddresses(host)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", hostport, err)
	}
	if len(fixed) == 1 {
		host = fixed[0].String()
	}
	tries := 1
	if port == 0 {
		tries = 20 // the port that is free for TCP may be taken for UDP
	}
	for range tries {
		p := &ports{
			fixed: fixed, only4: only4, keep: cfg.Limits.MaxDuration, now: cfg.Now, log: cfg.Log,
			opened: opened, udp: map[netip.Addr]*boundSocket{}, faults: map[netip.Addr]error{},
		}
		if p.tcp, err = bind.TCP(context.Background(), net.JoinHostPort(host, fmt.Sprint(port))); err != nil {
			return nil, err
		}
		p.port = p.tcp.Addr().(*net.TCPAddr).AddrPort().Port()
		if err = p.open(present); err == nil {
			return p, nil
		}
		_ = p.Close()
	}
	return nil, fmt.Errorf("listen on %q: %w", hostport, err)
}

// hostAddresses are the addresses host stands for; nil for all of this machine.
func hostAddresses(host string) (fixed []netip.Addr, only4 bool, err error) {
	switch ip, err := netip.ParseAddr(host); {
	case host == "" || err == nil && ip.IsUnspecified():
		return nil, host == "0.0.0.0", nil
	case err == nil:
		return []netip.Addr{ip.Unmap()}, false, nil
	}
	found, err := net.LookupIP(host)
	if err != nil {
		return nil, false, err
	}
	for _, f := range found {
		if ip, ok := netip.AddrFromSlice(f); ok {
			fixed = append(fixed, ip.Unmap())
		}
	}
	return fixed, false, nil
}

// open binds what is there. An address that cannot be bound is left out (one that
// is going away must not keep a collector from starting), unless it is the only
// one: then another program has the port.
func (p *ports) open(present []netip.Addr) error {
	p.follow(present)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.udp) > 0 || len(p.faults) == 0 {
		return nil
	}
	var faults []error
	for _, err := range p.faults {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// follow opens sockets for addresses that have come, and closes those whose
// address has been away for a while: an address that DHCP takes away and gives
// back must not end the streams on it.
func (p *ports) follow(present []netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	wanted := p.wanted(present)
	for _, ip := range wanted {
		if s := p.udp[ip]; s != nil {
			s.gone = time.Time{}
			continue
		}
		p.bind(ip)
	}
	p.usable = nil
	for _, ip := range wanted {
		if p.udp[ip] != nil && has(present, ip) {
			p.usable = append(p.usable, netip.AddrPortFrom(ip, p.port))
		}
	}
	for ip, s := range p.udp {
		switch {
		case slices.Contains(wanted, ip):
		case s.gone.IsZero():
			s.gone = p.now()
		case p.now().Sub(s.gone) > p.keep:
			_ = s.conn.Close()
			delete(p.udp, ip)
		}
	}
	for ip := range p.faults {
		if !slices.Contains(wanted, ip) {
			delete(p.faults, ip)
		}
	}
}

func (p *ports) wanted(present []netip.Addr) []netip.Addr {
	if p.fixed != nil {
		return p.fixed
	}
	var ips []netip.Addr
	for _, ip := range present {
		if ip.Is4() || !p.only4 {
			ips = append(ips, ip)
		}
	}
	return ips
}

func (p *ports) bind(ip netip.Addr) {
	conn, err := bind.UDP(context.Background(), netip.AddrPortFrom(ip, p.port))
	if err == nil {
		widen(conn, p.log)
		if err = p.opened(conn); err != nil {
			_ = conn.Close()
		}
	}
	if err != nil {
		if p.faults[ip] == nil {
			p.log.Warn("a local address cannot be served", "err", err)
		}
		p.faults[ip] = err
		return
	}
	delete(p.faults, ip)
	p.udp[ip] = &boundSocket{conn: conn}
}

// addresses are those that are served and there now, the first one first.
func (p *ports) addresses() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.usable
}

// first is the address to show: the first one that is there, or where it will be.
func (p *ports) first() netip.AddrPort {
	if all := p.addresses(); len(all) > 0 {
		return all[0]
	}
	if len(p.fixed) > 0 {
		return netip.AddrPortFrom(p.fixed[0], p.port)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), p.port)
}

// socket is the one on ip; nil when there is none.
func (p *ports) socket(ip netip.Addr) *net.UDPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.udp[ip]; s != nil {
		return s.conn
	}
	return nil
}

// unserved are the configured or present addresses that have no socket, with why.
func (p *ports) unserved() (faults []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, err := range p.faults {
		faults = append(faults, err)
	}
	return faults
}

// Close closes the sockets; a socket that is closed already is no error.
func (p *ports) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var faults []error
	for _, s := range p.udp {
		faults = append(faults, s.conn.Close())
	}
	if p.tcp != nil {
		faults = append(faults, p.tcp.Close())
	}
	return ignoreClosed(errors.Join(faults...))
}

// ignoreClosed drops the faults that only say "closed already".
func ignoreClosed(err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var kept []error
		for _, e := range joined.Unwrap() {
			kept = append(kept, ignoreClosed(e))
		}
		return errors.Join(kept...)
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
