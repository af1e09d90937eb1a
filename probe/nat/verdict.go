package nat

import (
	"context"
	"sync"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// finding is what one address answered.
type finding struct{ udp, tcp exchange }

// ask puts the question to all targets over both transports at once. Once both
// have an answer the others are no longer waited for.
func ask(ctx context.Context, env probe.Env, timers Timers, targets []target) []finding {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	findings := make([]finding, len(targets))
	var mu sync.Mutex
	var wg sync.WaitGroup
	var udp, tcp bool
	set := func(to *exchange, e exchange, any *bool) {
		mu.Lock()
		defer mu.Unlock()
		*to = e
		if *any = *any || e.state == answered; udp && tcp {
			cancel()
		}
	}
	for i, t := range targets {
		if t.udp {
			wg.Go(func() { set(&findings[i].udp, askUDP(ctx, env, timers, t.addr), &udp) })
		}
		if t.tcp {
			wg.Go(func() { set(&findings[i].tcp, askTCP(ctx, env, timers.Total(), t.addr), &tcp) })
		}
	}
	wg.Wait()
	return findings
}

// verdicts places the silence. A way is blocked only while the other way to the
// very same address answers, or when this computer itself forbids it; silence
// on both ways may as well be our server's.
func verdicts(findings []finding) (udp, tcp report.Reach) {
	udp, tcp = report.ReachNotTested, report.ReachNotTested
	for _, f := range findings {
		udp = better(udp, reach(f.udp, f.tcp))
		tcp = better(tcp, reach(f.tcp, f.udp))
	}
	return udp, tcp
}

// reach is the verdict on way, given how the other way to the same address did.
func reach(way, other exchange) report.Reach {
	switch {
	case way.state == answered:
		return report.ReachOpen
	case way.state == forbidden:
		return report.ReachBlocked
	case way.state == silent && other.state == answered:
		return report.ReachBlocked
	case way.state == silent:
		return report.ReachServerSilent
	}
	// A refused TCP connection is an answer of some kind: the server may just
	// not offer STUN over TCP. Nothing can be said.
	return report.ReachNotTested
}

// better is the verdict that says more: one open address is enough, and one
// address proven blocked outweighs a server that is silent altogether.
func better(a, b report.Reach) report.Reach {
	rank := func(r report.Reach) int {
		switch r {
		case report.ReachOpen:
			return 3
		case report.ReachBlocked:
			return 2
		case report.ReachServerSilent:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
