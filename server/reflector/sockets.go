package reflector

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
	// socketBytes is the requested buffer of each UDP socket: at 50,000 packets/s the
	// default of 200 kB is full after a stall of 5 ms, and the loss would be attributed to
	// a participant's line.
	socketBytes = 16 << 20
	// leastSocketBytes is sufficient for a few dozen streams.
	leastSocketBytes = 1 << 20
)

// ports are the sockets of one port: a UDP socket for each address and one TCP listener.
//
// A single wildcard socket would respond from whichever address the route prefers, and
// clients drop responses from an address that they did not send to. Setting the source of
// each packet (IP_PKTINFO) exists on some systems only, and the TURN library does not
// support it. Therefore addresses that appear later get a socket of their own.
type ports struct {
	port  uint16
	fixed []netip.Addr // the configured ones; nil means all
	only4 bool
	keep  time.Duration // how long a socket outlives its address
	now   func() time.Time
	log   *slog.Logger
	tcp   net.Listener
	// opened takes a new socket into service. It must not block.
	opened func(*net.UDPConn) error

	mu     sync.Mutex
	udp    map[netip.Addr]*boundSocket
	usable []netip.AddrPort // bound, and present on this machine
	faults map[netip.Addr]error
	closed bool
}

type boundSocket struct {
	conn *net.UDPConn
	gone time.Time // since when the address is absent; zero while it is present
}

// openPorts listens on host:port with the addresses that are present. Port 0 means a port
// that is free on all of them for both protocols. opened is called for each UDP socket, also
// for later ones.
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
		tries = 20 // a port that is free for TCP may be in use for UDP
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

// hostAddresses returns the addresses of host; nil means all of this machine.
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

// open binds the present addresses. An address that cannot be bound is skipped (one that is
// being removed must not prevent the start), unless it is the only one: then another program
// uses the port.
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

// follow opens sockets for new addresses, and closes those whose address has been absent for
// a while. An address that DHCP removes and assigns again must not end its streams.
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

// addresses returns the addresses that are served and present, the preferred one first.
func (p *ports) addresses() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.usable
}

// first returns the address to display: the first present one, or the expected one.
func (p *ports) first() netip.AddrPort {
	if all := p.addresses(); len(all) > 0 {
		return all[0]
	}
	if len(p.fixed) > 0 {
		return netip.AddrPortFrom(p.fixed[0], p.port)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), p.port)
}

// socket returns the socket for ip; nil if there is none.
func (p *ports) socket(ip netip.Addr) *net.UDPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.udp[ip]; s != nil {
		return s.conn
	}
	return nil
}

// unserved returns an error for each configured or present address without a socket.
func (p *ports) unserved() (faults []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, err := range p.faults {
		faults = append(faults, err)
	}
	return faults
}

// Close closes the sockets. A socket that is already closed is not an error.
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

// ignoreClosed drops errors that only report a closed socket.
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
