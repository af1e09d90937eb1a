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

// maxPacket is more than any STUN message over UDP (RFC 8489 §6.1: 1,280).
const maxPacket = 2048

// udpSocket is a socket of our own with a goroutine that reads it. It is not
// connected: only then can we see where a packet really came from, and no ICMP
// error of an earlier packet ends the exchange.
type udpSocket struct {
	conn    transport.UDPConn
	env     probe.Env
	packets chan packet
	closed  chan struct{}
	own     []netip.Addr // this computer's addresses that the socket may send from
	port    uint16
}

type packet struct {
	bytes []byte
	from  netip.AddrPort
	at    time.Time
}

// openUDP opens a socket for questions to the address to.
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

// read passes on what arrives until the socket is closed. Errors in between are
// late ICMP messages, as Windows hands them out; they say nothing certain.
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

// question is one binding request. An answer counts only when it comes from one
// of the addresses from.
type question struct {
	to         netip.AddrPort
	from       []netip.AddrPort
	attributes []stun.Setter
}

// basic is the binding request without more, as of RFC 5780 §4.3 test I.
func basic(to netip.AddrPort) question { return question{to: to, from: []netip.AddrPort{to}} }

// ask sends q until it is answered or the schedule of timers is over.
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
			// A full queue or an interface that goes away is no answer; the
			// next copy may get through.
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

// received is an answer and its time of arrival.
type received struct {
	exchange
	at time.Time
}

// receive waits for the answer to id and drops everything else: nonsense, late
// answers to earlier requests, second copies, packets from other addresses.
func (s *udpSocket) receive(ctx context.Context, wait time.Duration, id transactionID, from []netip.AddrPort) (got received, ok bool) {
	within(ctx, s.env, wait, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case p, open := <-s.packets:
				if !open {
					return
				}
				if !slices.Contains(from, p.from) {
					s.env.Log.Debug("packet from a stranger ignored")
					continue
				}
				b, err := parseBinding(p.bytes, id)
				if err != nil {
					s.env.Log.Debug("packet ignored", "err", err)
					continue
				}
				got = received{exchange: exchange{binding: b, state: answered, from: p.from}, at: p.at}
				ok = true
				return
			}
		}
	})
	return got, ok
}

// askUDP is the whole question over UDP. When the answer took several copies,
// one more request, which is not sent again, gives the round trip (Karn's
// algorithm would leave it open). It need not wait longer than the answer to the
// first of those copies took at most.
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
		// A clock that leapt meanwhile does not make it longer than the schedule.
		took := min(env.Clock.Now().Sub(begun), timers.Total())
		once := Timers{RTO: took + timers.RTO, Rc: 1, Rm: 1}
		e.rtt = s.ask(ctx, once, basic(to)).rtt
	}
	return e
}
