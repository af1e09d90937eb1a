// Package load measures the capacity of the line, and the delay in its queues while
// it is full. It fills the line and must run on request only.
package load

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The phases of media.load: idle, full downstream, full upstream, at most 8 MB each way. A queue of
// more than a second takes two seconds to fill, and as long to drain before the next phase.
const (
	idleTime  = 800 * time.Millisecond
	fullTime  = 3 * time.Second
	drainTime = 2500 * time.Millisecond
)

// Round trips are requested every askEvery. The wait for each answer is askWait, also after the end
// of its phase.
const (
	askEvery = 25 * time.Millisecond
	askWait  = 2500 * time.Millisecond
)

// Config configures media.load.
type Config struct {
	Base *url.URL
	// Token returns the token that authorises the measurement; nil means none.
	Token func(context.Context) string
	// Transport defines how the collector is reached and trusted. It is copied, so that the
	// measurement has its own connections. nil means http.DefaultTransport. It is not an
	// http.RoundTripper, because HTTP/2 cannot be disabled in one that wraps another.
	Transport *http.Transport
	// ICE returns the collector's STUN server, which is used for round trips.
	ICE func(context.Context) (wire.ICEConfig, error)
	// RoundTrip measures one round trip; nil uses the STUN server.
	RoundTrip func(context.Context) (time.Duration, error)
	// Resolver resolves names; nil means the system's.
	Resolver lookup.Resolver
}

// New returns the probe "media.load". Its data is a *report.MediaLoad. It fills the line and
// must run on request only.
func New(c Config) probe.Probe {
	if c.Transport == nil {
		c.Transport = defaultTransport()
	}
	if c.Resolver == nil {
		c.Resolver = lookup.System()
	}
	return load{Config: c}
}

// defaultTransport returns http.DefaultTransport, or its default value if a program has replaced it by
// another type.
func defaultTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}

type load struct {
	Config
	token string
}

func (load) Name() string { return report.ProbeMediaLoad }
func (load) Version() int { return 2 } // 1 counted payload, and uploads by receipts

// Run measures while idle, then downstream, then upstream.
func (p load) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.MediaLoad{}
	if p.Token != nil {
		p.token = p.Token(ctx)
	}
	ask := p.question(ctx, env)
	data.IdleRTTMS = atRest(ctx, env, ask)
	down := whileFull(ctx, env, ask, p.receive)
	if errors.Is(down.err, errBusy) {
		return unknownLoad(data, noteBusy), nil
	}
	data.DownKbps, data.DownCI95 = down.kbps(data.IdleRTTMS)
	data.DownBytes, data.LoadedRTTDownMS = down.moved(), down.rttMS
	drained(ctx, env, ask, data.IdleRTTMS)
	up := whileFull(ctx, env, ask, func(ctx context.Context, clock probe.Clock) (arrived, error) {
		return p.send(ctx, clock, data.IdleRTTMS)
	})
	if !errors.Is(up.err, errBuffered) {
		data.UpKbps, data.UpCI95 = up.kbps(data.IdleRTTMS)
	}
	data.UpBytes, data.LoadedRTTUpMS = up.moved(), up.rttMS
	if err := errors.Join(down.err, up.err); err != nil {
		env.Log.Info("the line could not be filled", "err", report.ErrorText(err))
		return unknownLoad(data, whyUnknown(err)), nil
	}
	if data.DownKbps == nil || data.UpKbps == nil {
		return unknownLoad(data, "the time was too short to fill the line"), nil
	}
	return probe.Result{Status: report.StatusOK, Data: data}, nil
}

const noteBusy = "the collector is busy with other measurements: try again later"

// whyUnknown returns the note of an incomplete measurement.
func whyUnknown(err error) string {
	status, _ := errors.AsType[*statusError](err)
	switch {
	case errors.Is(err, errBusy):
		return noteBusy
	case errors.Is(err, errEarlier):
		return "the collector's version is too old to measure uploads"
	case errors.Is(err, errBuffered), status != nil && status.status == http.StatusRequestEntityTooLarge:
		return "a proxy in front of the collector buffers uploads"
	}
	return "the collector ended the measurement early"
}

func unknownLoad(d *report.MediaLoad, why string) probe.Result {
	return probe.Result{Status: report.StatusUnknown, Note: why, Data: d}
}

// question returns a request to the collector's STUN server; nil if unknown.
func (p load) question(ctx context.Context, env probe.Env) echo.Question {
	if p.RoundTrip != nil {
		return func(ctx context.Context) (echo.Reply, error) {
			rtt, err := p.RoundTrip(ctx)
			return echo.Reply{RTT: rtt}, err
		}
	}
	at, err := lookup.STUNServer(ctx, p.ICE, p.Resolver, func(ctx context.Context, addrs []netip.Addr) netip.Addr {
		return adapter.Prefer(ctx, adapter.Toward, addrs)
	})
	if err != nil {
		env.Log.Info("no STUN server known", "err", report.ErrorText(err))
	}
	if !at.IsValid() {
		return nil
	}
	return func(ctx context.Context) (echo.Reply, error) { return echo.STUN(ctx, env, at) }
}

// atRest returns the median round trip of the idle line in ms.
func atRest(ctx context.Context, env probe.Env, ask echo.Question) *float64 {
	begin := env.Clock.Now()
	phase, cancel := context.WithTimeout(ctx, idleTime)
	defer cancel()
	return medianSince(roundTrips(ctx, phase, env, ask), begin)
}

// drained waits until round trips are as short as on the idle line: packets that remain in the queue of
// the other direction would delay answers and confirmations.
func drained(ctx context.Context, env probe.Env, ask echo.Question, idleRTTMS *float64) {
	if ask == nil || idleRTTMS == nil {
		return
	}
	enough := time.Duration((1.5**idleRTTMS + 10) * float64(time.Millisecond))
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for ctx.Err() == nil {
		r, err := ask(ctx)
		if err == nil && r.RTT <= enough || env.Clock.Sleep(ctx, askEvery) != nil {
			return
		}
	}
}

// phase is the result of filling the line in one direction.
type phase struct {
	arrived
	rttMS *float64
	err   error
}

// whileFull runs work for the length of a phase and returns the median round trip of its second
// half, since the queue fills in the first.
func whileFull(ctx context.Context, env probe.Env, ask echo.Question, work func(context.Context, probe.Clock) (arrived, error)) (p phase) {
	full, cancel := context.WithTimeout(ctx, fullTime)
	defer cancel()
	taken := make(chan []roundTrip, 1)
	begin := env.Clock.Now()
	guard.Go(env.Log, func() {
		var all []roundTrip
		defer func() { taken <- all }()
		all = roundTrips(ctx, full, env, ask)
	})
	p.arrived, p.err = work(full, env.Clock)
	took := env.Clock.Now().Sub(begin)
	cancel() // the line is idle from here on
	p.rttMS = medianSince(<-taken, begin.Add(took/2))
	return p
}
