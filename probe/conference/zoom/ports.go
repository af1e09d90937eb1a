package zoom

import (
	"context"
	"io"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Zoom's media servers are known to a client in a meeting only, so the published ports are tried
// at the front end and at the collector. Neither has to serve them: any answer from that machine,
// also a refusal, shows that packets to the port leave this network. An answer that arrives much
// sooner than one from the machine itself was given by a machine nearby in its place: a firewall
// that rejects the port. Silence has two explanations, a firewall and a server that answers
// nothing, and proves neither.
const (
	// portWait limits a connection. A lost SYN is retransmitted after a second (RFC 6298 §2).
	portWait = 1600 * time.Millisecond
	// knocks is how often a port is tried over UDP, and a refused one over TCP: packets and ICMP
	// errors get lost, and a delayed error from nearby looks like a distant one.
	knocks = 3
	// leastTrip is the shortest round trip to a server at which answers of a machine nearby can be
	// told from its own.
	leastTrip = 4 * time.Millisecond
)

// tried is one port at one server.
type tried struct {
	transport string
	port      uint16
	answer    report.PortAnswer
}

// tryPorts tries the published ports at both servers.
func tryPorts(ctx context.Context, v *visit.Visit) visit.Outcome {
	if len(v.Ports.TCP)+len(v.Ports.UDP) == 0 {
		return visit.Untested(visit.Closed)
	}
	if v.ThroughProxy() {
		return visit.Untested(visit.ThroughProxy) // only the proxy's port matters
	}
	servers := []*url.URL{v.URL}
	if v.Ports.Control != nil {
		servers = append(servers, v.Ports.Control)
	}
	results := make([][]tried, len(servers))
	var all guard.Group
	for i, u := range servers {
		all.Go(func() { results[i] = tryServer(ctx, v, net.JoinHostPort(u.Hostname(), origin.Port(u))) })
	}
	all.Wait()
	if results[0] == nil {
		return visit.Untested(visit.StepFailed)
	}
	var control []tried
	if len(results) > 1 {
		control = results[1]
	}
	v.Data.Ports = combine(results[0], control)
	count := func(a report.PortAnswer) (n int) {
		for _, p := range v.Data.Ports {
			if p.Answer == a {
				n++
			}
		}
		return n
	}
	switch {
	case count(report.PortRejected) > 0:
		return visit.Fault("ports_rejected")
	case count(report.PortOpen) == len(v.Data.Ports):
		return visit.OK()
	}
	return visit.Untested("no_answer")
}

// combine returns what is known about each port. A port that is open for the collector is open:
// no firewall is likely to permit it there only. One that is rejected there may be permitted for
// Zoom's addresses.
func combine(system, control []tried) (ports []report.ConferencePort) {
	for i, t := range system {
		answer := t.answer
		if answer == report.PortSilent && control != nil && control[i].answer == report.PortOpen {
			answer = report.PortOpen
		}
		ports = append(ports, report.ConferencePort{Protocol: t.transport, Port: new(int(t.port)), Answer: answer})
	}
	return ports
}

// tryServer tries all ports at the machine of a web server; nil if that does not answer.
func tryServer(ctx context.Context, v *visit.Visit, address string) []tried {
	at, trip := reference(ctx, v.Env, address)
	if !at.IsValid() {
		return nil
	}
	var list []tried
	for _, n := range v.Ports.TCP {
		list = append(list, tried{transport: "tcp", port: n, answer: report.PortSilent})
	}
	for _, n := range v.Ports.UDP {
		list = append(list, tried{transport: "udp", port: n, answer: report.PortSilent})
	}
	var all guard.Group
	for i := range list {
		all.Go(func() {
			t := &list[i]
			to := netip.AddrPortFrom(at, t.port)
			if t.transport == "tcp" {
				t.answer = connect(ctx, v.Env, to, trip)
			} else {
				t.answer = knock(ctx, v.Env, to, trip)
			}
		})
	}
	all.Wait()
	return list
}

// reference returns the machine of a web server and the round trip to it. It is invalid if the
// server accepts no connection.
func reference(ctx context.Context, env probe.Env, address string) (at netip.Addr, trip time.Duration) {
	conn, err := env.Dial(ctx, "tcp", address) // also looks up the name
	if err != nil {
		return netip.Addr{}, 0
	}
	to, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	_ = conn.Close()
	if err != nil {
		return netip.Addr{}, 0
	}
	for range 2 {
		start := env.Clock.Now()
		conn, err := env.Dial(ctx, "tcp", to.String())
		if err != nil {
			return netip.Addr{}, 0
		}
		took := env.Clock.Now().Sub(start)
		_ = conn.Close()
		if trip == 0 || took < trip {
			trip = took
		}
	}
	return to.Addr(), trip
}

// judgeAnswer classifies an answer that took some time, from a machine with a round trip.
func judgeAnswer(took, trip time.Duration, opened bool) report.PortAnswer {
	switch {
	case trip < leastTrip:
		if opened {
			return report.PortOpen
		}
		return report.PortSilent
	case 4*took >= 3*trip:
		return report.PortOpen
	case 2*took < trip && !opened:
		return report.PortRejected
	}
	// A middlebox may accept connections in the server's place.
	return report.PortSilent
}

// connect tries a port over TCP. The shortest of several refusals counts: a delayed one from
// nearby looks like one of the server.
func connect(ctx context.Context, env probe.Env, to netip.AddrPort, trip time.Duration) report.PortAnswer {
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	shortest, refusals := time.Duration(0), 0
	for range knocks {
		start := env.Clock.Now()
		conn, err := env.Dial(ctx, "tcp", to.String())
		took := env.Clock.Now().Sub(start)
		switch {
		case err == nil:
			_ = conn.Close()
			return judgeAnswer(took, trip, true)
		case probe.IsForbidden(err):
			return report.PortRejected // by this computer's own firewall
		case ctx.Err() != nil, probe.IsTimeout(err):
			return answerOf(refusals, shortest, trip)
		}
		if refusals++; refusals == 1 || took < shortest {
			shortest = took
		}
	}
	return answerOf(refusals, shortest, trip)
}

func answerOf(refusals int, shortest, trip time.Duration) report.PortAnswer {
	if refusals == 0 {
		return report.PortSilent
	}
	return judgeAnswer(shortest, trip, false)
}

// knock tries a port over UDP with requests of STUN, which a server may answer and which do
// nothing. An ICMP error is a refusal.
func knock(ctx context.Context, env probe.Env, to netip.AddrPort, trip time.Duration) report.PortAnswer {
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	shortest, refusals := time.Duration(0), 0
	for range knocks {
		took, answered, refused, err := exchange(ctx, env, to, max(300*time.Millisecond, 2*trip))
		switch {
		case answered:
			return judgeAnswer(took, trip, true)
		case probe.IsForbidden(err):
			return report.PortRejected
		case refused:
			if refusals++; refusals == 1 || took < shortest {
				shortest = took
			}
		case ctx.Err() != nil:
			return answerOf(refusals, shortest, trip)
		}
	}
	return answerOf(refusals, shortest, trip)
}

// exchange sends one request from a socket of its own, so that a late ICMP error for an earlier
// one is not taken for an answer to this one.
func exchange(ctx context.Context, env probe.Env, to netip.AddrPort, wait time.Duration) (took time.Duration, answered, refused bool, err error) {
	conn, err := env.Dial(ctx, "udp", to.String())
	if err != nil {
		return 0, false, false, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var id [stun.TransactionIDSize]byte
	if _, err := io.ReadFull(env.Rand, id[:]); err != nil {
		return 0, false, false, err
	}
	request, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingRequest)
	if err != nil {
		return 0, false, false, err
	}
	start := env.Clock.Now()
	if _, err := conn.Write(request.Raw); err != nil {
		return 0, false, false, err
	}
	_, err = conn.Read(make([]byte, 1500))
	took = env.Clock.Now().Sub(start)
	return took, err == nil, err != nil && ctx.Err() == nil, err
}
