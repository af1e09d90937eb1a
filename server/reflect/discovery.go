package reflect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// discovery answers binding requests over UDP, as RFC 5780 asks of a server for
// finding out the behaviour of a NAT. With two addresses it has the four sockets
// that takes; with one it says so: no OTHER-ADDRESS, and a request to answer
// from elsewhere is refused. An answer from the same address instead would make
// every NAT look permissive.
type discovery struct {
	// sockets by address and port, the primary ones first; empty with one
	// address only.
	sockets [2][2]*net.UDPConn
	own     []*net.UDPConn // those it opened itself
	heard   *heard
	work    sync.WaitGroup
}

// openDiscovery finds or opens the four sockets for a second address. shared are
// the sockets of the STUN port.
func openDiscovery(shared *ports, second netip.Addr, now func() time.Time, log *slog.Logger) (*discovery, error) {
	d := &discovery{heard: newHeard(now)}
	if !second.IsValid() {
		return d, nil
	}
	second = second.Unmap()
	for i, a := range shared.addrs {
		switch {
		case a.Addr() == second:
			d.sockets[1][0] = shared.udp[i]
		case d.sockets[0][0] == nil && a.Addr().Is4() == second.Is4() && a.Addr().IsLoopback() == second.IsLoopback():
			d.sockets[0][0] = shared.udp[i]
		}
	}
	if d.sockets[0][0] == nil {
		return nil, fmt.Errorf("second STUN address %s: STUN listens on no other address of its kind", second)
	}
	first := localAddrPort(d.sockets[0][0])
	if err := d.openRest(first, second, log); err != nil {
		return nil, errors.Join(fmt.Errorf("second STUN address %s: %w", second, err), d.Close())
	}
	for _, c := range d.own {
		d.work.Go(func() { d.serve(c) })
	}
	return d, nil
}

func (d *discovery) openRest(first netip.AddrPort, second netip.Addr, log *slog.Logger) (err error) {
	if d.sockets[1][0] == nil {
		if d.sockets[1][0], err = d.listen(netip.AddrPortFrom(second, first.Port()), log); err != nil {
			return err
		}
	}
	// The next port is what others use too; where it is taken, one close by.
	// OTHER-ADDRESS tells the client.
	for port := first.Port() + 1; port != 0 && port <= first.Port()+20; port++ {
		a, errA := d.listen(netip.AddrPortFrom(first.Addr(), port), log)
		b, errB := d.listen(netip.AddrPortFrom(second, port), log)
		if err = errors.Join(errA, errB); err == nil {
			d.sockets[0][1], d.sockets[1][1] = a, b
			return nil
		}
		for _, c := range []*net.UDPConn{a, b} {
			if c != nil {
				_ = c.Close()
				d.own = d.own[:len(d.own)-1]
			}
		}
	}
	return errors.Join(errors.New("no second port is free on both addresses"), err)
}

func (d *discovery) listen(at netip.AddrPort, log *slog.Logger) (*net.UDPConn, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	widen(c, log)
	d.own = append(d.own, c)
	return c, nil
}

// Close closes the sockets of its own.
func (d *discovery) Close() error {
	var faults []error
	for _, c := range d.own {
		faults = append(faults, c.Close())
	}
	d.work.Wait()
	return ignoreClosed(errors.Join(faults...))
}

func (d *discovery) serve(c *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			d.answer(c, buf[:n], from)
		}
	}
}

// stunConn is a socket of the STUN port. Binding requests stay with discovery;
// the TURN server sees the rest.
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
		if !c.discovery.answer(c.UDPConn, b[:n], from) {
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// attrPadding (RFC 5780 §7.6) is not offered: it makes answers as long as the
// asker likes.
const attrPadding = stun.AttrType(0x0026)

// answer answers a binding request and says whether b was one.
func (d *discovery) answer(at *net.UDPConn, b []byte, from netip.AddrPort) bool {
	if !isBindingRequest(b) {
		return false
	}
	request := stun.Message{Raw: append([]byte(nil), b...)}
	if request.Decode() != nil || request.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(&request) != nil {
		return true
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	d.heard.from(from.Addr())
	out, to, setters := d.reply(at, &request, from)
	if reply, err := stun.Build(append(setters, stun.Fingerprint)...); err == nil {
		_, _ = out.WriteToUDPAddrPort(reply.Raw, to)
	}
	return true
}

// isBindingRequest looks at the type, the first two bytes (RFC 8489 §5), and
// saves reading what TURN relays.
func isBindingRequest(b []byte) bool {
	return len(b) >= 20 && binary.BigEndian.Uint16(b) == stun.BindingRequest.Value() && stun.IsMessage(b)
}

// reply is where an answer leaves, where it goes and what it says.
func (d *discovery) reply(at *net.UDPConn, request *stun.Message, from netip.AddrPort) (out *net.UDPConn, to netip.AddrPort, setters []stun.Setter) {
	out, to = at, from
	ip, port, here := d.place(at)
	if unknown := notUnderstood(request, here); len(unknown) > 0 {
		return out, to, []stun.Setter{
			request, stun.NewType(stun.MethodBinding, stun.ClassErrorResponse), stun.CodeUnknownAttribute, unknown,
		}
	}
	if flags := changeFlags(request); here {
		out = d.sockets[ip^flags>>2&1][port^flags>>1&1]
	}
	if v, err := request.Get(stun.AttrResponsePort); err == nil && len(v) >= 2 {
		// RFC 5780 §7.5: the same host, another port of its.
		to = netip.AddrPortFrom(from.Addr(), binary.BigEndian.Uint16(v))
	}
	mapped, origin := net.UDPAddrFromAddrPort(from), net.UDPAddrFromAddrPort(localAddrPort(out))
	setters = []stun.Setter{
		request, stun.BindingSuccess,
		&stun.XORMappedAddress{IP: mapped.IP, Port: mapped.Port},
		&stun.MappedAddress{IP: mapped.IP, Port: mapped.Port}, // unlike the other where a box rewrites addresses
		&stun.ResponseOrigin{IP: origin.IP, Port: origin.Port},
	}
	if here {
		// RFC 5780 §7.4: seen from where the request came in, whatever the
		// answer leaves by.
		other := net.UDPAddrFromAddrPort(localAddrPort(d.sockets[1-ip][1-port]))
		setters = append(setters, &stun.OtherAddress{IP: other.IP, Port: other.Port})
	}
	return out, to, setters
}

// place is which of the four sockets c is, if any.
func (d *discovery) place(c *net.UDPConn) (ip, port int, ok bool) {
	for i := range d.sockets {
		for j := range d.sockets[i] {
			if d.sockets[i][j] == c && c != nil {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// notUnderstood lists the attributes that must be understood and are not (RFC
// 8489 §6.3.1).
func notUnderstood(m *stun.Message, two bool) (unknown stun.UnknownAttributes) {
	for _, a := range m.Attributes {
		change := a.Type == stun.AttrChangeRequest
		if a.Type == attrPadding || change && !two {
			unknown = append(unknown, a.Type)
		}
	}
	return unknown
}

// changeFlags are those of CHANGE-REQUEST (RFC 5780 §7.2): 4 for another
// address, 2 for another port.
func changeFlags(m *stun.Message) int {
	v, err := m.Get(stun.AttrChangeRequest)
	if err != nil || len(v) != 4 {
		return 0
	}
	return int(v[3] & 6)
}

func localAddrPort(c *net.UDPConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
