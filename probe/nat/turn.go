package nat

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TURNConfig says whose relays to try.
type TURNConfig struct {
	// ICE returns the servers and the credentials for them; up to maxRelays are
	// tried, the collector's own like others. Data through a relay is sent to the
	// first STUN server that the relay's address family can reach.
	ICE func(ctx context.Context) (wire.ICEConfig, error)
	// Timers of retransmission; the zero value is DefaultTimers.
	Timers Timers
	// RootCAs sign for turns: servers; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy names the proxy for a connection over TCP or TLS, as in http.Transport; nil
	// means that there is none.
	Proxy func(*http.Request) (*url.URL, error)
}

// NewTURN returns the probe "nat.turn": relays over UDP, TCP and TLS, each way a
// result of its own (RFC 8656). Its data is a *report.NATTURN.
func NewTURN(c TURNConfig) probe.Probe {
	if c.Timers == (Timers{}) {
		c.Timers = DefaultTimers
	}
	return relays{c}
}

type relays struct{ TURNConfig }

func (relays) Name() string { return report.ProbeNATTURN }
func (relays) Version() int { return 1 }

// The phases of nat.turn (see [probe.Phase]): the first second of a relay costs a
// dozen packets, over TLS three times as many bytes as over UDP.
const (
	PhaseRelay    = "relay"
	PhaseRelayTLS = "relay_tls"
)

func (w way) phase() string {
	if w == overTLS {
		return PhaseRelayTLS
	}
	return PhaseRelay
}

// Run tries the relays side by side, each from its turn on.
func (p relays) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.NATTURN{}
	unknown := func(note string) (probe.Result, error) {
		return probe.Result{Status: report.StatusUnknown, Note: note, Data: data}, nil
	}
	if p.ICE == nil {
		return unknown("no TURN server is configured")
	}
	config, err := p.ICE(ctx)
	if err != nil {
		env.Log.Info("no list of TURN servers", "err", err)
		return unknown("the list of TURN servers could not be fetched")
	}
	servers := relaysOf(config)
	data.Ways = new(waysOf(servers))
	if len(servers) == 0 {
		return unknown("no TURN server is configured")
	}
	peers := sync.OnceValue(func() []target { return resolve(ctx, env, serversOf(config)) })
	outcomes := make([]outcome, len(servers))
	var wg sync.WaitGroup
	wg.Go(func() { peers() }) // while the relays are being asked for
	for i, s := range servers {
		if _, err := env.Enter(ctx, s.way.phase()); err != nil {
			break
		}
		wg.Go(func() { outcomes[i] = p.try(ctx, env, s, peers) })
	}
	wg.Wait()
	for i, s := range servers {
		if outcomes[i].asked {
			data.Relays = append(data.Relays, outcomes[i].of(s))
		}
	}
	for w := overUDP; w <= overTLS; w++ {
		best(servers, outcomes, w).write(data, w)
	}
	return judgeRelays(data, outcomes), nil
}

// judgeRelays: one relay that works is enough. Where no way got any answer the
// server itself may be down, and nothing is said about the line.
func judgeRelays(data *report.NATTURN, outcomes []outcome) probe.Result {
	r := probe.Result{Status: report.StatusUnknown, Note: "no TURN server answered in any way", Data: data}
	if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.asked }) {
		r.Note = "the test of the TURN servers could not be finished"
	}
	for _, o := range outcomes {
		switch {
		case o.allocated && (o.relayed == nil || *o.relayed):
			return probe.Result{Status: report.StatusOK, Data: data}
		case o.allocated || o.fault == faultAuth || o.fault == faultQuota || o.fault == faultTLS:
			r.Status, r.Note = report.StatusWarn, ""
		}
	}
	return r
}
