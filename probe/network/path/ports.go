package path

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/periodic"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// Answers of a port, as in PathPort.
const (
	portOpen     = "open"
	portRefused  = "refused"
	portRejected = "rejected"
	portSilent   = "silent"
)

const (
	// portWait limits the answer of a port. A lost SYN is retransmitted after a second (RFC 6298 §2).
	portWait = 2200 * time.Millisecond
	// portHeadStart is how long the needed port is tried alone: longer than almost every round
	// trip, so that no others are tried if it answers.
	portHeadStart = 700 * time.Millisecond
	// knockWait limits the wait for an ICMP error, knocks is the number of attempts: errors get
	// lost, and routers limit them.
	knockWait = 600 * time.Millisecond
	knocks    = 3
	// referenceHops is the number of routers at which a packet may expire.
	referenceHops = 2
	// minProofs is how many ICMP errors for other packets make the absence of any for the packets
	// in question conclusive.
	minProofs = 2
	// referenceDelay keeps the packets of a pair in order.
	referenceDelay = 20 * time.Millisecond
)

// triedPort is a port of a server and the result of packets to it.
type triedPort struct {
	segment string
	network string // tcp or udp
	at      netip.AddrPort
	needed  bool
	answer  string
	rtt     time.Duration
	left    *bool
	// by and noRoute describe a machine that rejected in place of the server.
	by      string
	noRoute *bool
}

func (t *triedPort) answered() bool { return t.answer == portOpen || t.answer == portRefused }

// isOpen reports whether the port is open by now; done is closed when that is known.
func (t *triedPort) isOpen(done <-chan struct{}) bool {
	select {
	case <-done:
		return t.answer == portOpen
	default:
		return false
	}
}

func (t *triedPort) report() report.PathPort {
	return report.PathPort{
		Name: t.segment, Protocol: t.network, Port: new(int(t.at.Port())), Needed: &t.needed, Answer: t.answer, Left: t.left,
		RejectedBy: t.by, NoRoute: t.noRoute,
	}
}

// askPorts determines, if a needed port is silent, which other ports answer and whether such
// packets leave this network.
func (p path) askPorts(ctx context.Context, env probe.Env, found surveyed) []report.PathPort {
	var mu sync.Mutex
	var all []*triedPort
	var wg guard.Group
	try := func(f func() []*triedPort) {
		wg.Go(func() {
			tried := f()
			mu.Lock()
			defer mu.Unlock()
			all = append(all, tried...)
		})
	}
	far := found.far
	if far.stun.IsValid() {
		try(func() []*triedPort { return p.trySTUN(ctx, env, found) })
	} else if far.collector.IsValid() {
		try(func() []*triedPort {
			return p.tryTCP(ctx, env, found, segmentTransit, far.collector, origin.PortOf(p.Collector))
		})
	}
	if far.server.IsValid() {
		try(func() []*triedPort {
			return p.tryTCP(ctx, env, found, segmentServer, far.server, origin.PortOf(p.URL))
		})
	}
	wg.Wait()
	var out []report.PathPort
	for _, t := range all {
		if t.answer != "" {
			out = append(out, t.report())
		}
	}
	return out
}

// wellKnown returns the ports that networks are most likely to permit.
func wellKnown() []uint16 { return []uint16{443, 80} }

// tryTCP tries the needed port and, if it does not open, the well-known ones of the same machine.
func (p path) tryTCP(ctx context.Context, env probe.Env, found surveyed, segment string, host netip.Addr, port string) []*triedPort {
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return nil
	}
	needed := &triedPort{segment: segment, network: "tcp", at: netip.AddrPortFrom(host, uint16(number)), needed: true}
	done := make(chan struct{})
	go func() { defer close(done); needed.connect(ctx, env) }()
	probe.SleepUntil(ctx, env.Clock, done, portHeadStart)
	tried := []*triedPort{needed}
	var wg guard.Group
	for _, n := range wellKnown() {
		if t := (&triedPort{segment: segment, network: "tcp", at: netip.AddrPortFrom(host, n)}); n != needed.at.Port() && !needed.isOpen(done) {
			tried = append(tried, t)
			wg.Go(func() { t.connect(ctx, env) })
		}
	}
	wg.Wait()
	if <-done; needed.answer == portOpen {
		return nil
	}
	p.findRejecters(ctx, env, found, tried)
	attributeRejection(tried, p.gatewayRTT(ctx, found))
	p.detectWhetherLeft(ctx, env, found, needed, tried[1:])
	return tried
}

// trySTUN tries the collector's STUN port and, if it is silent, determines whether packets to it
// leave the network. The collector's web port is the reference.
func (p path) trySTUN(ctx context.Context, env probe.Env, found surveyed) []*triedPort {
	needed := &triedPort{segment: segmentTransit, network: "udp", at: found.far.stun, needed: true, answer: portSilent}
	if s := periodic.Run(ctx, env, trialPace, stunQuestion(env, needed.at)); s.Answered() > 0 {
		return nil
	}
	tried := []*triedPort{needed}
	if number, err := strconv.ParseUint(origin.PortOf(p.Collector), 10, 16); err == nil && found.far.collector.IsValid() {
		web := &triedPort{segment: segmentTransit, network: "tcp", at: netip.AddrPortFrom(found.far.collector, uint16(number))}
		web.connect(ctx, env)
		tried = append(tried, web)
	}
	p.detectWhetherLeft(ctx, env, found, needed, tried[1:])
	return tried
}

// connect tries a port over TCP.
func (t *triedPort) connect(ctx context.Context, env probe.Env) {
	limited, cancel := context.WithTimeout(ctx, portWait)
	defer cancel()
	start := env.Clock.Now()
	conn, err := env.Dial(limited, t.network, t.at.String())
	t.rtt = env.Clock.Now().Sub(start)
	switch {
	case err == nil:
		_ = conn.Close()
		t.answer = portOpen
	case probe.IsRefused(err):
		t.answer = portRefused
	case probe.IsForbidden(err):
		t.answer, t.left = portRejected, new(false) // rejected by this computer
	case ctx.Err() != nil: // interrupted, which does not mean silent
	case limited.Err() != nil, probe.IsTimeout(err):
		t.answer = portSilent
	default:
		t.answer = portRejected // an ICMP error (RFC 1122 §4.2.3.9)
	}
}

// gatewayRTT returns the round trip to the next router; 0 if it does not answer.
func (p path) gatewayRTT(ctx context.Context, found surveyed) time.Duration {
	if !found.adapter.Gateway.IsValid() {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, knockWait)
	defer cancel()
	r, err := p.Asker.Ask(ctx, found.adapter.Gateway, 0)
	if err != nil || r.Kind != echo.Reached {
		return 0
	}
	return r.RTT
}

// attributeRejection distinguishes a refusal by the local router from one by the server, because some
// firewalls refuse in the server's name. It came from nearby if another port of the server takes
// several times as long and the router does not.
func attributeRejection(tried []*triedPort, gateway time.Duration) {
	const times, slack = 3, 2 * time.Millisecond
	open := slices.IndexFunc(tried, func(t *triedPort) bool { return t.answer == portOpen })
	if open < 0 || gateway == 0 {
		return
	}
	for _, t := range tried {
		if t.answer == portRefused && t.rtt <= 2*gateway+slack && tried[open].rtt >= times*t.rtt+slack {
			t.answer, t.left = portRejected, new(false)
		}
	}
}

// detectWhetherLeft sends packets to a port that does not open with a time to live that expires at
// routers behind the local one. An ICMP error shows that they got that far. None shows that they
// did not, if the same routers report other packets sent immediately afterwards. An answer shows
// that a firewall on the path responds in the server's name.
func (p path) detectWhetherLeft(ctx context.Context, env probe.Env, found surveyed, t *triedPort, others []*triedPort) {
	knocker, ok := p.Asker.(echo.Knocker)
	if !ok || t.left != nil || t.by != "" || found.adapter.Kind == adapter.VPN || !t.at.Addr().Is4() {
		return
	}
	refs := p.references(ctx, knocker, found, t.at.Addr(), others)
	if len(refs) == 0 {
		p.findRejecter(ctx, env, knocker, found, t)
		return
	}
	proofs := 0
	for round := range 2*minProofs + 1 { // long enough for two errors at one per second
		told, referenceTold := t.sendPair(ctx, env, knocker, found, refs)
		if told {
			return
		}
		if referenceTold {
			proofs++
		}
		if round >= minProofs && proofs >= minProofs {
			t.left = new(false)
			return
		}
	}
}

// sendPair sends a packet to the port and, immediately afterwards, one that the routers are
// known to report. Routers limit the rate of ICMP errors, Linux to one a second per destination
// (icmp_ratelimit), and other probes use them up as well. Because the packet in question comes
// first, a router that reports only the other one did not receive it.
func (t *triedPort) sendPair(ctx context.Context, env probe.Env, k echo.Knocker, found surveyed, refs []reference) (told, referenceTold bool) {
	ctx, cancel := context.WithCancel(ctx)
	var wg guard.Group
	var heard atomic.Bool
	for _, ref := range refs {
		wg.Go(func() {
			if env.Clock.Sleep(ctx, referenceDelay) == nil && ref.ask(ctx) {
				heard.Store(true)
			}
		})
	}
	told = t.sendToEach(ctx, env, k, found, refs)
	if told {
		cancel()
	}
	wg.Wait()
	cancel()
	return told, heard.Load()
}

// sendToEach sends a packet to each of the routers and reports whether an answer is conclusive.
func (t *triedPort) sendToEach(ctx context.Context, env probe.Env, k echo.Knocker, found surveyed, refs []reference) (told bool) {
	replies := make([]echo.Reply, len(refs))
	var wg guard.Group
	for i, ref := range refs {
		wg.Go(func() { replies[i], _ = knock(ctx, env, k, t, ref.ttl) })
	}
	wg.Wait()
	for _, r := range replies {
		switch {
		case r.Kind == echo.Unreachable, r.Kind == echo.Prohibited:
			t.rejectedBy(r, found)
			return true
		case r.Kind == echo.Expired && (isPublic(r.From) || carrierGrade.Contains(r.From)):
			t.left = new(true)
			return true
		case r.Kind == echo.Reached:
			// The server is farther away: a middlebox answers in its name.
			t.answer, t.left = portRejected, new(false)
			return true
		case r.Kind != 0:
			told = true // an internal router, behind which the packet may be blocked
		}
	}
	return told
}

func knock(ctx context.Context, env probe.Env, k echo.Knocker, t *triedPort, ttl int) (echo.Reply, bool) {
	request, err := echo.BindingRequest(env)
	if err != nil {
		return echo.Reply{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, knockWait)
	defer cancel()
	r, err := k.Knock(ctx, t.network, t.at, ttl, request.Raw)
	return r, err == nil
}

// reference is a router behind the local one that reports packets that expire there.
type reference struct {
	ttl int
	ask func(context.Context) bool
}

// answers sends several requests, because ICMP errors get lost.
func (r reference) answers(ctx context.Context) bool {
	for range knocks {
		if r.ask(ctx) {
			return true
		}
	}
	return false
}

// references returns routers that report expired echo requests or, if none does, expired
// connections to a port that answers.
func (p path) references(ctx context.Context, k echo.Knocker, found surveyed, to netip.Addr, others []*triedPort) (refs []reference) {
	first := 1
	if !found.adapter.Gateway.IsValid() {
		first = 0
	}
	add := func(hop int, ask func(context.Context) (echo.Reply, error)) {
		refs = append(refs, reference{hop + 1, func(ctx context.Context) bool {
			ctx, cancel := context.WithTimeout(ctx, knockWait)
			defer cancel()
			r, err := ask(ctx)
			return err == nil && r.Kind == echo.Expired
		}})
	}
	for hop := first; hop < farthestHop && len(refs) < referenceHops; hop++ {
		if found.trace.hops[hop].IsValid() {
			add(hop, func(ctx context.Context) (echo.Reply, error) { return p.Asker.Ask(ctx, to, hop+1) })
		}
	}
	open := slices.IndexFunc(others, (*triedPort).answered)
	if len(refs) > 0 || open < 0 {
		return refs
	}
	for hop := first; hop < first+3; hop++ {
		add(hop, func(ctx context.Context) (echo.Reply, error) {
			return k.Knock(ctx, others[open].network, others[open].at, hop+1, nil)
		})
	}
	answers := make([]bool, len(refs))
	var wg guard.Group
	for i, c := range refs {
		wg.Go(func() { answers[i] = c.answers(ctx) })
	}
	wg.Wait()
	var heard []reference
	for i, c := range refs {
		if answers[i] && len(heard) < referenceHops {
			heard = append(heard, c)
		}
	}
	return heard
}

// answeredBeyond reports whether a machine behind the local network answered or rejected one of the ports.
func answeredBeyond(ports []report.PathPort) bool {
	return slices.ContainsFunc(ports, func(t report.PathPort) bool {
		return t.Answer == portOpen || t.Answer == portRefused || t.Left != nil && *t.Left ||
			t.RejectedBy == byProvider || t.RejectedBy == byBeyond
	})
}
