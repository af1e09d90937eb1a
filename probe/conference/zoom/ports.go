package zoom

import (
	"context"
	"errors"
	"fmt"
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
	// knockWait limits each of these attempts over UDP.
	knockWait = 500 * time.Millisecond
	// references is how often the server's own port is tried beside the others. The shortest time
	// counts: on a line with jitter, a long one would make the server's refusals look near.
	references = 8
	// leastTrip is the shortest round trip to a server at which answers of a machine nearby can be
	// told from its own.
	leastTrip = 4 * time.Millisecond
)

// tried is one port at one server.
type tried struct {
	transport string
	port      uint16
	answer    report.PortAnswer

	opened    bool          // an answer of the protocol itself
	forbidden bool          // by this computer's own firewall
	refusals  int           // TCP resets and ICMP errors
	shortest  time.Duration // until the answer, or the fastest refusal
}

// refused records a refusal.
func (t *tried) refused(took time.Duration) {
	if t.refusals++; t.refusals == 1 || took < t.shortest {
		t.shortest = took
	}
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
	at, err := addressOf(ctx, v.Env, address)
	if err != nil {
		v.Env.Log.Info("no ports are tried", "err", report.ErrorText(err))
		return nil
	}
	var list []tried
	for _, n := range v.Ports.TCP {
		list = append(list, tried{transport: "tcp", port: n})
	}
	for _, n := range v.Ports.UDP {
		list = append(list, tried{transport: "udp", port: n})
	}
	var all guard.Group
	var trip time.Duration
	all.Go(func() { trip = shortestTrip(ctx, v.Env, at) })
	for i := range list {
		all.Go(func() { list[i].try(ctx, v.Env, at.Addr()) })
	}
	all.Wait()
	if trip == 0 {
		return nil
	}
	for i := range list {
		list[i].judge(trip)
	}
	return list
}

// addressOf connects to a web server and returns the address that answered.
func addressOf(ctx context.Context, env probe.Env, address string) (netip.AddrPort, error) {
	conn, err := env.Dial(ctx, "tcp", address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("connect to the web server: %w", err)
	}
	defer conn.Close()
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address of the web server: %w", err)
	}
	return at, nil
}

// shortestTrip returns the shortest time of several connections to a web server; 0 if none
// succeeds.
func shortestTrip(ctx context.Context, env probe.Env, at netip.AddrPort) (trip time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	for range references {
		start := env.Clock.Now()
		conn, err := env.Dial(ctx, "tcp", at.String())
		if err != nil {
			break
		}
		if took := env.Clock.Now().Sub(start); trip == 0 || took < trip {
			trip = took
		}
		_ = conn.Close()
	}
	return trip
}

// judge sets the answer, given the round trip to the server.
func (t *tried) judge(trip time.Duration) {
	t.answer = report.PortSilent
	switch {
	case t.forbidden:
		t.answer = report.PortRejected
	case !t.opened && t.refusals == 0, trip < leastTrip && !t.opened:
	case trip < leastTrip, 4*t.shortest >= 3*trip:
		t.answer = report.PortOpen
	case !t.opened && 2*t.shortest < trip: // a middlebox may accept connections in the server's place
		t.answer = report.PortRejected
	}
}

// try tries the port. The first packets over UDP are requests of STUN, which a server may answer
// and which do nothing.
func (t *tried) try(ctx context.Context, env probe.Env, at netip.Addr) {
	ctx, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	attempt := connect
	if t.transport == "udp" {
		attempt = knock
	}
	for range knocks {
		start := env.Clock.Now()
		err := attempt(ctx, env, netip.AddrPortFrom(at, t.port))
		took := env.Clock.Now().Sub(start)
		switch {
		case err == nil:
			t.opened, t.shortest = true, took
			return
		case probe.IsForbidden(err):
			t.forbidden = true
			return
		case ctx.Err() != nil:
			return
		case errors.Is(err, errNoAnswer) && t.transport == "tcp":
			return // it has sent several packets
		case !errors.Is(err, errNoAnswer):
			t.refused(took)
		}
	}
}

// errNoAnswer means that nothing came back.
var errNoAnswer = errors.New("no answer")

// connect opens a connection. An error other than errNoAnswer is a refusal.
func connect(ctx context.Context, env probe.Env, to netip.AddrPort) error {
	conn, err := env.Dial(ctx, "tcp", to.String())
	if err != nil {
		if ctx.Err() != nil || probe.IsTimeout(err) {
			return errNoAnswer
		}
		return fmt.Errorf("connect: %w", err)
	}
	return conn.Close()
}

// knock sends one request from a socket of its own, so that a late ICMP error for an earlier one
// is not taken for an answer to this one. An error other than errNoAnswer is a refusal.
func knock(ctx context.Context, env probe.Env, to netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, knockWait)
	defer cancel()
	conn, err := env.Dial(ctx, "udp", to.String())
	if err != nil {
		return errNoAnswer // this computer has no socket left, or no route
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var id [stun.TransactionIDSize]byte
	if _, err := io.ReadFull(env.Rand, id[:]); err != nil {
		return errNoAnswer
	}
	request, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingRequest)
	if err != nil {
		return errNoAnswer
	}
	if _, err = conn.Write(request.Raw); err == nil {
		_, err = conn.Read(make([]byte, 1500))
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errNoAnswer
	}
	return fmt.Errorf("request: %w", err)
}
