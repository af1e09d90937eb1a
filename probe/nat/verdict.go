package nat

import (
	"context"
	"sync"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// finding contains the responses of one address.
type finding struct{ udp, tcp exchange }

// ask sends to all targets over both transports at once. It stops waiting once both transports have a response.
func ask(ctx context.Context, env probe.Env, timers Timers, targets []target) []finding {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	findings := make([]finding, len(targets))
	var mu sync.Mutex
	var wg guard.Group
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

// verdicts interprets silence. A transport is blocked only if the other transport to the same address works, or if this
// computer itself refuses to send. Silence on both may be the server's fault.
func verdicts(findings []finding) (udp, tcp report.Reach) {
	udp, tcp = report.ReachNotTested, report.ReachNotTested
	for _, f := range findings {
		udp = better(udp, reach(f.udp, f.tcp))
		tcp = better(tcp, reach(f.tcp, f.udp))
	}
	return udp, tcp
}

// reach returns the verdict on the transport of this, given the result of the other one to
// the same address.
func reach(this, other exchange) report.Reach {
	switch {
	case this.state == answered:
		return report.ReachOpen
	case this.state == forbidden:
		return report.ReachBlocked
	case this.state == silent && other.state == answered:
		return report.ReachBlocked
	case this.state == silent:
		return report.ReachServerSilent
	}
	// A refused TCP connection is inconclusive: the server may not offer STUN over TCP.
	return report.ReachNotTested
}

// better returns the more conclusive verdict: one open address is sufficient, and one that is proved blocked outweighs a
// completely silent server.
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
