package nat

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// hairpin reports whether two programs behind this NAT reach each other by their mapped addresses
// (RFC 5780 §4.5); nil if unknown. Both send to each other, so that a filter cannot hide the mapping.
func (l *lab) hairpin(ctx context.Context) *bool {
	x, mappedX, ok := l.mappedSocket(ctx)
	if !ok {
		return nil
	}
	defer x.close()
	y, mappedY, ok := l.mappedSocket(ctx)
	if !ok {
		return nil
	}
	defer y.close()
	opener, err := newTransactionID(l.env.Rand)
	if err != nil {
		return nil
	}
	id, err := newTransactionID(l.env.Rand)
	if err != nil {
		return nil
	}
	for _, wait := range l.timers.waits() {
		if !send(x, opener, mappedY) || !send(y, id, mappedX) {
			return nil
		}
		if heard(ctx, x, id, wait) {
			return new(true)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return new(false)
}

// mappedSocket returns a new socket and its mapped address.
func (l *lab) mappedSocket(ctx context.Context) (*udpSocket, netip.AddrPort, bool) {
	s, err := openUDP(l.env, l.primary)
	if err != nil {
		return nil, netip.AddrPort{}, false
	}
	e := s.ask(ctx, l.timers, basic(l.primary))
	if !e.mapped.IsValid() {
		s.close()
		return nil, netip.AddrPort{}, false
	}
	return s, e.mapped, true
}

func send(s *udpSocket, id transactionID, to netip.AddrPort) bool {
	request, err := bindingRequest(id)
	if err != nil {
		return false
	}
	_, err = s.conn.WriteTo(request, net.UDPAddrFromAddrPort(to))
	return err == nil
}

// heard waits for the request id on s. The NAT may translate its source, so the id alone identifies it.
func heard(ctx context.Context, s *udpSocket, id transactionID, wait time.Duration) (ok bool) {
	return s.await(ctx, wait, func(p packet) bool {
		return len(p.bytes) >= stunHeaderBytes && transactionID(p.bytes[8:stunHeaderBytes]) == id
	})
}
