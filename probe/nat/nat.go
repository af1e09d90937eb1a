// Package nat determines by STUN (RFC 8489) whether the packets of a conference can leave this computer and return, and the
// behaviour of a NAT on the path.
//
// It uses the terms of RFC 4787 and RFC 5780.
package nat

import (
	"context"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// maxHeardMS is a day: earlier requests say nothing about the present.
const maxHeardMS = 24 * 3600 * 1000

// Config configures the probes.
type Config struct {
	// ICE returns the STUN servers. Each is tested over UDP and TCP; a URL with ?transport= (not part of RFC 7064, but used in
	// configurations) is tested over that one only. TURN and TLS servers are ignored.
	ICE func(ctx context.Context) (wire.ICEConfig, error)
	// Timers are the retransmission timers; the zero value means DefaultTimers.
	Timers Timers
	// KeepPublicAddress disables the truncation of the public address in the report.
	KeepPublicAddress bool
	// Lifetime is the maximum lifetime of an idle binding that "nat.behavior" tests, such as 5 minutes; 0 disables the
	// test, which takes up to twice as long. "nat" does not use it.
	Lifetime time.Duration
}

// list returns the servers, or why there are none.
func (c Config) list(ctx context.Context, env probe.Env) (config wire.ICEConfig, fault string) {
	if c.ICE == nil {
		return config, "no STUN server is configured"
	}
	config, err := c.ICE(ctx)
	if err != nil {
		env.Log.Info("no list of STUN servers", "err", err)
		return config, "the list of STUN servers could not be fetched"
	}
	return config, ""
}

// New returns the probe "nat". Its data is a *report.NAT.
func New(c Config) probe.Probe {
	if c.Timers == (Timers{}) {
		c.Timers = DefaultTimers
	}
	return reachability{c}
}

type reachability struct{ Config }

func (reachability) Name() string { return report.ProbeNAT }
func (reachability) Version() int { return 1 }

// Run tests every server over UDP and TCP at the same time.
func (p reachability) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}
	unknown := func(note string) (probe.Result, error) {
		return probe.Result{Status: report.StatusUnknown, Note: note, Data: data}, nil
	}
	config, fault := p.list(ctx, env)
	if fault != "" {
		return unknown(fault)
	}
	if ms := config.HeardMS; ms != nil && *ms >= 0 && *ms <= maxHeardMS {
		data.ServerHeardS = new(float64(*ms) / 1000)
	}
	if ms := config.AnsweredMS; ms != nil && *ms >= 0 && *ms <= maxHeardMS {
		data.ServerAnsweredS = new(float64(*ms) / 1000)
	}
	servers := serversOf(config)
	if len(servers) == 0 {
		return unknown("no STUN server is configured")
	}
	targets := resolve(ctx, env, servers)
	if len(targets) == 0 {
		return unknown("the name of the STUN server could not be looked up")
	}
	p.fill(data, ask(ctx, env, p.Timers, targets))
	return judge(data), nil
}

// fill sets the verdicts and the measurements of the first server that answered.
func (p reachability) fill(data *report.NAT, findings []finding) {
	data.UDP, data.TCP = verdicts(findings)
	for _, f := range findings {
		if f.udp.transmissions > 0 && (data.Transmissions == nil || f.udp.state == answered) {
			data.Transmissions = new(f.udp.transmissions)
		}
		if f.udp.state == answered && data.UDPRTTMS == nil {
			data.UDPRTTMS = f.udp.rttMS()
		}
		if f.tcp.state == answered && data.TCPRTTMS == nil {
			data.TCPRTTMS = f.tcp.rttMS()
		}
	}
	best, ok := bestMapping(findings)
	if !ok {
		return
	}
	data.PublicAddress = report.Truncate(best.mapped.Addr())
	if p.KeepPublicAddress {
		data.PublicAddress = best.mapped.Addr().String()
	}
	data.ALG = best.rewritten
	data.Translated = best.translated
}

// bestMapping returns the response over UDP, otherwise that over TCP: a conference uses UDP.
func bestMapping(findings []finding) (exchange, bool) {
	for _, exchangeOf := range []func(finding) exchange{
		func(f finding) exchange { return f.udp },
		func(f finding) exchange { return f.tcp },
	} {
		for _, f := range findings {
			if e := exchangeOf(f); e.mapped.IsValid() {
				return e, true
			}
		}
	}
	return exchange{}, false
}

// judge derives the status of the probe from the verdicts. Blocked UDP is a warning, because a conference may work over
// TCP; the diagnosis decides on the consequences.
func judge(data *report.NAT) probe.Result {
	r := probe.Result{Status: report.StatusUnknown, Data: data}
	switch data.UDP {
	case report.ReachOpen:
		r.Status = report.StatusOK
	case report.ReachBlocked:
		r.Status = report.StatusWarn
	case report.ReachServerSilent:
		r.Note = "no STUN server answered in any way"
	default:
		r.Note = "the test over UDP could not be finished"
	}
	return r
}

// isPublicForm reports whether a is an address that a server can have seen.
func isPublicForm(a netip.AddrPort) bool {
	return a.IsValid() && a.Port() != 0 && !a.Addr().IsUnspecified() && !a.Addr().IsMulticast()
}
