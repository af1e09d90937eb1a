package nat

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v2"
	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
)

// maxPacket is larger than any STUN message over UDP (RFC 8489 §6.1: 1,280).
const maxPacket = 2048

// udpSocket is a socket with a goroutine that reads it. It is not connected, so that the real source of a packet is visible
// and an ICMP error of an earlier packet does not end the exchange.
type udpSocket struct {
	conn    transport.UDPConn
	env     probe.Env
	packets chan packet
	closed  chan struct{}
	own     []netip.Addr // addresses of this computer that the socket may send from
	port    uint16
}

type packet struct {
	bytes []byte
	from  netip.AddrPort
	at    time.Time
}

// openUDP opens a socket for requests to the address to.
func openUDP(env probe.Env, to netip.AddrPort) (*udpSocket, error) {
	network := "udp4"
	if to.Addr().Is6() {
		network = "udp6"
	}
	local := localAddr(env, network, to)
	var bind *net.UDPAddr
	if local.IsValid() {
		bind = net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	} else {
		bind = &net.UDPAddr{IP: net.IPv4zero}
		if network == "udp6" {
			bind.IP = net.IPv6zero
		}
	}
	conn, err := env.Net.ListenUDP(network, bind)
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", err)
	}
	s := &udpSocket{conn: conn, env: env, packets: make(chan packet, 16), closed: make(chan struct{})}
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		s.port = uint16(a.Port)
	}
	if s.own = []netip.Addr{local}; !local.IsValid() {
		s.own = interfaceAddrs(env)
	}
	go s.read()
	return s, nil
}

func (s *udpSocket) close() {
	close(s.closed)
	_ = s.conn.Close()
}

// read passes on what arrives until the socket is closed. Errors in between are delayed ICMP messages, as reported by
// Windows; they are inconclusive.
func (s *udpSocket) read() {
	defer close(s.packets)
	buf := make([]byte, maxPacket)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		at := s.env.Clock.Now()
		select {
		case <-s.closed:
			return
		default:
		}
		if err != nil {
			if s.env.Clock.Sleep(context.Background(), 10*time.Millisecond) != nil {
				return
			}
			continue
		}
		p := packet{bytes: append([]byte(nil), buf[:n]...), at: at}
		if a, ok := from.(*net.UDPAddr); ok {
			p.from = addrPort(a.IP, a.Port)
		}
		select {
		case s.packets <- p:
		case <-s.closed:
			return
		}
	}
}

// question is a binding request. A response counts only if it comes from one of the addresses in from.
type question struct {
	to         netip.AddrPort
	from       []netip.AddrPort
	attributes []stun.Setter
}

// basic is the plain binding request, test I of RFC 5780 §4.3.
func basic(to netip.AddrPort) question { return question{to: to, from: []netip.AddrPort{to}} }

// ask sends q until it is answered or the retransmission schedule has ended.
func (s *udpSocket) ask(ctx context.Context, timers Timers, q question) exchange {
	id, err := newTransactionID(s.env.Rand)
	if err != nil {
		return exchange{}
	}
	request, err := bindingRequest(id, append(q.attributes, roomFor(q.to))...)
	if err != nil {
		return exchange{}
	}
	e := exchange{state: silent}
	var sent time.Time
	for _, wait := range timers.waits() {
		sent = s.env.Clock.Now()
		if _, err := s.conn.WriteTo(request, net.UDPAddrFromAddrPort(q.to)); err != nil {
			// A full queue or a disappearing interface is not a response; the next copy may succeed.
			if f := failed(err); f.state == forbidden {
				return f
			}
			s.env.Log.Debug("STUN request not sent", "err", err)
		} else {
			e.transmissions++
		}
		got, ok := s.receive(ctx, wait, id, q.from)
		if ok {
			got.transmissions = e.transmissions
			if got.transmissions == 1 {
				got.rtt = got.at.Sub(sent)
			}
			got.compare(s.port, s.own)
			return got.exchange
		}
		if ctx.Err() != nil {
			e.state = notAsked
			return e
		}
	}
	if e.transmissions == 0 {
		e.state = notAsked
	}
	return e
}

// received is a response and its time of arrival.
type received struct {
	exchange
	at time.Time
}

// receive waits for the response to id and drops everything else: invalid packets, late responses to earlier requests,
// duplicates, packets from other addresses.
func (s *udpSocket) receive(ctx context.Context, wait time.Duration, id transactionID, from []netip.AddrPort) (got received, ok bool) {
	ok = s.await(ctx, wait, func(p packet) bool {
		if !slices.Contains(from, p.from) {
			s.env.Log.Debug("packet from an unknown address ignored")
			return false
		}
		b, err := parseBinding(p.bytes, id)
		if err != nil {
			s.env.Log.Debug("packet ignored", "err", err)
			return false
		}
		got = received{exchange: exchange{binding: b, state: answered, from: p.from}, at: p.at}
		return true
	})
	return got, ok
}

// await passes packets to take until it accepts one; ok is false if none was in time.
func (s *udpSocket) await(ctx context.Context, wait time.Duration, take func(packet) bool) (ok bool) {
	within(ctx, s.env, wait, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case p, open := <-s.packets:
				if !open {
					return
				}
				if take(p) {
					ok = true
					return
				}
			}
		}
	})
	return ok
}

// askUDP performs a complete request over UDP. If the response required several copies, one more request without
// retransmission measures the round trip, which Karn's algorithm leaves undetermined. It waits no longer than the response
// to the first copy can have taken.
func askUDP(ctx context.Context, env probe.Env, timers Timers, to netip.AddrPort) exchange {
	s, err := openUDP(env, to)
	if err != nil {
		env.Log.Info("no UDP socket", "err", err)
		return failed(err)
	}
	defer s.close()
	begun := env.Clock.Now()
	e := s.ask(ctx, timers, basic(to))
	if e.state == answered && e.transmissions > 1 {
		// If the clock has jumped meanwhile, the wait is not longer than the schedule.
		took := min(env.Clock.Now().Sub(begun), timers.Total())
		once := Timers{RTO: took + timers.RTO, Rc: 1, Rm: 1}
		e.rtt = s.ask(ctx, once, basic(to)).rtt
	}
	return e
}
