package nat

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TURNConfig configures the probe "nat.turn".
type TURNConfig struct {
	// ICE returns the servers and their credentials. Up to maxRelays are tried, the
	// collector's own and others alike. Data is sent through a relay to the first
	// STUN server that the relay's address family can reach.
	ICE func(ctx context.Context) (wire.ICEConfig, error)
	// Timers are the retransmission timers; the zero value means DefaultTimers.
	Timers Timers
	// RootCAs verify turns: servers; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy returns the proxy for a connection over TCP or TLS, as in
	// http.Transport; nil means no proxy.
	Proxy func(*http.Request) (*url.URL, error)
}

// NewTURN returns the probe "nat.turn". It tests relays over UDP, TCP and TLS (RFC
// 8656), with a result for each transport. Its data is a *report.NATTURN.
func NewTURN(c TURNConfig) probe.Probe {
	if c.Timers == (Timers{}) {
		c.Timers = DefaultTimers
	}
	return relays{TURNConfig: c}
}

type relays struct {
	TURNConfig
	// permit is the peer whose permission is requested instead of sending data; the
	// zero value for none.
	permit netip.Addr
	// renew waits for the line budget if a name lookup or the connection took so long
	// that the turn no longer counts (see probe.Pass.Renew).
	renew func(context.Context) error
}

// admittedBy returns p for the relay that was admitted by pass.
func (p relays) admittedBy(pass *probe.Pass) relays {
	p.renew = pass.Renew
	return p
}

func (relays) Name() string { return report.ProbeNATTURN }

// Phases implements probe.Phased.
func (relays) Phases() []string {
	return []string{PhaseRelay, PhaseRelayTLS}
}

func (relays) Version() int { return 1 }

// Phases of nat.turn (see [probe.Phase]). A relay sends a dozen packets in its
// first second; over TLS these are three times as many bytes as over UDP.
const (
	PhaseRelay    = "relay"
	PhaseRelayTLS = "relay_tls"
)

func (t relayTransport) phase() string {
	if t == overTLS {
		return PhaseRelayTLS
	}
	return PhaseRelay
}

// Run tries the relays concurrently, each from its turn on.
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
	data.Transports = new(transportsOf(servers))
	if len(servers) == 0 {
		return unknown("no TURN server is configured")
	}
	peers := sync.OnceValue(func() []target { return resolve(ctx, env, serversOf(config)) })
	outcomes := make([]outcome, len(servers))
	var wg guard.Group
	wg.Go(func() { peers() }) // during the allocations
	for i, s := range servers {
		pass, err := env.Enter(ctx, s.transport.phase())
		if err != nil {
			break
		}
		wg.Go(func() {
			defer pass.Leave()
			outcomes[i] = p.admittedBy(pass).try(ctx, env, s, peers)
		})
	}
	wg.Wait()
	for i, s := range servers {
		if outcomes[i].asked {
			data.Relays = append(data.Relays, outcomes[i].of(s))
		}
	}
	for t := overUDP; t <= overTLS; t++ {
		best(servers, outcomes, t).write(data, t)
	}
	return judgeRelays(data, outcomes), nil
}

// judgeRelays derives the status of the probe. One working relay is sufficient. If
// there was no response over any transport, the server may be down, and nothing is
// known about the line.
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
