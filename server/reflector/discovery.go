package reflector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/server/bind"
)

// discovery answers binding requests over UDP, as RFC 5780 requires of a server for NAT
// behaviour discovery. With two addresses it has the four sockets needed. With one it omits
// OTHER-ADDRESS, and rejects a request for a response from elsewhere: a response from the same
// address would make every NAT look permissive.
type discovery struct {
	second      netip.Addr // Config.STUNAlternate
	four        atomic.Pointer[fourSockets]
	heard       *heard
	limits      *answerLimits
	credentials func(*stun.Message) (stun.MessageIntegrity, bool)
	log         *slog.Logger
	work        sync.WaitGroup

	mu     sync.Mutex // protects what follow and Close change
	fault  error      // why there are no four sockets although a second address is configured
	closed bool
}

// fourSockets are the sockets of RFC 5780 §3, by address and port, the primary ones first.
type fourSockets struct {
	at  [2][2]*net.UDPConn
	own []*net.UDPConn // sockets that do not belong to the STUN port
}

func newDiscovery(cfg Config, count *counters, credentials func(*stun.Message) (stun.MessageIntegrity, bool)) *discovery {
	return &discovery{
		second: cfg.STUNAlternate.Unmap(), heard: newHeard(cfg.Now), limits: newAnswerLimits(cfg.Now, count),
		credentials: credentials, log: cfg.Log,
	}
}

// open is follow at the start, when a configuration that can never work is an error. An absent
// second address is not.
func (d *discovery) open(shared *ports, present []netip.Addr) error {
	if d.second.IsValid() && shared.fixed != nil && !d.hasPartner(shared.fixed) {
		return fmt.Errorf("second STUN address %s: STUN listens on no other address of its kind", d.second)
	}
	d.follow(shared, present)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != nil && has(present, d.second) && len(shared.addresses()) > 0 {
		return d.fault
	}
	return nil
}

func (d *discovery) hasPartner(all []netip.Addr) bool {
	for _, a := range all {
		if d.isPartner(a) {
			return true
		}
	}
	return false
}

// isPartner reports whether a can be the first address together with the second one.
func (d *discovery) isPartner(a netip.Addr) bool {
	return a != d.second && a.Is4() == d.second.Is4() && a.IsLoopback() == d.second.IsLoopback()
}

// follow opens the four sockets when both addresses are present, and closes them when one of
// the addresses disappears.
func (d *discovery) follow(shared *ports, present []netip.Addr) {
	d.heard.setOwn(present)
	d.limits.setOwn(present)
	if !d.second.IsValid() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	first, ok := d.first(shared)
	if !ok || !has(present, d.second) {
		d.replace(nil)
		d.setFault(fmt.Errorf("second STUN address %s: this machine does not have both addresses at the moment", d.second))
		return
	}
	if now := d.four.Load(); now != nil && now.at[0][0] == shared.socket(first.Addr()) &&
		(shared.socket(d.second) == nil || now.at[1][0] == shared.socket(d.second)) {
		return
	}
	d.replace(nil) // its ports must be free for the new ones
	four, err := openFour(shared, first, d.second, d.log)
	if err != nil {
		d.setFault(fmt.Errorf("second STUN address %s: %w", d.second, err))
		return
	}
	d.fault = nil
	d.replace(four)
	for _, c := range four.own {
		d.work.Go(func() { d.serve(c) })
	}
}

// first returns the first address: the current one as long as it is present.
func (d *discovery) first(shared *ports) (netip.AddrPort, bool) {
	var first netip.AddrPort
	four := d.four.Load()
	for _, a := range shared.addresses() {
		switch {
		case !d.isPartner(a.Addr()):
		case four != nil && four.at[0][0] == shared.socket(a.Addr()):
			return a, true
		case !first.IsValid():
			first = a
		}
	}
	return first, first.IsValid()
}

func (d *discovery) setFault(err error) {
	if d.fault == nil || d.fault.Error() != err.Error() {
		d.log.Warn("agents cannot determine the NAT behaviour of routers", "err", err)
	}
	d.fault = err
}

// replace sets new sockets and closes its own old ones.
func (d *discovery) replace(four *fourSockets) {
	if old := d.four.Swap(four); old != nil {
		old.close()
	}
}

// missing returns the reason why there are no four sockets; nil if there are, or if none are
// configured.
func (d *discovery) missing() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

func openFour(shared *ports, first netip.AddrPort, second netip.Addr, log *slog.Logger) (*fourSockets, error) {
	f := &fourSockets{}
	f.at[0][0], f.at[1][0] = shared.socket(first.Addr()), shared.socket(second)
	var err error
	if f.at[1][0] == nil {
		if f.at[1][0], err = f.listen(netip.AddrPortFrom(second, first.Port()), log); err != nil {
			return nil, err
		}
	}
	// The next port may be in use; then a nearby one is used. OTHER-ADDRESS tells the client.
	for port := first.Port() + 1; port != 0 && port <= first.Port()+20; port++ {
		a, errA := f.listen(netip.AddrPortFrom(first.Addr(), port), log)
		b, errB := f.listen(netip.AddrPortFrom(second, port), log)
		if err = errors.Join(errA, errB); err == nil {
			f.at[0][1], f.at[1][1] = a, b
			return f, nil
		}
		for _, c := range []*net.UDPConn{a, b} {
			if c != nil {
				_ = c.Close()
				f.own = f.own[:len(f.own)-1]
			}
		}
	}
	f.close()
	return nil, errors.Join(errors.New("no second port is free on both addresses"), err)
}

func (f *fourSockets) listen(at netip.AddrPort, log *slog.Logger) (*net.UDPConn, error) {
	c, err := bind.UDP(context.Background(), at)
	if err != nil {
		return nil, err
	}
	widen(c, log)
	f.own = append(f.own, c)
	return c, nil
}

func (f *fourSockets) close() {
	for _, c := range f.own {
		_ = c.Close()
	}
}

// place returns which of the four sockets c is, if any.
func (f *fourSockets) place(c *net.UDPConn) (ip, port int, ok bool) {
	if f == nil {
		return 0, 0, false
	}
	for i := range f.at {
		for j := range f.at[i] {
			if f.at[i][j] == c {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// Close closes its own sockets.
func (d *discovery) Close() error {
	d.mu.Lock()
	d.closed = true
	d.replace(nil)
	d.mu.Unlock()
	d.work.Wait()
	return nil
}

func (d *discovery) serve(c *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && d.limits.request(from.Addr()) {
			d.answer(c, buf[:n], from)
		}
	}
}

// stunConn is a socket of the STUN port. Binding requests are answered by discovery; the TURN
// server receives the rest.
type stunConn struct {
	*net.UDPConn
	discovery *discovery
}

// ReadFrom implements net.PacketConn.
func (c stunConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.UDPConn.ReadFromUDPAddrPort(b)
		if err != nil {
			return n, nil, err
		}
		if c.discovery.limits.admits(b[:n], from.Addr()) && !c.discovery.answer(c.UDPConn, b[:n], from) {
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}
