package network

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/adapter"
	"github.com/tonprobe/tonprobe/probe/network/echo"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The phases of media.load: at rest, full downwards, full upwards, at most 8 MB
// each way. A line on which packets wait for more than a second needs two seconds
// until it does; as long as that the queue of one phase may take to drain before
// the next.
const (
	idleTime  = 800 * time.Millisecond
	fullTime  = 3 * time.Second
	drainTime = 2500 * time.Millisecond
)

// The round trip is asked for at a steady pace; answers are waited for so long,
// also beyond their phase.
const (
	askEvery = 25 * time.Millisecond
	askWait  = 2500 * time.Millisecond
)

// LoadConfig says against which collector to measure.
type LoadConfig struct {
	Base  *url.URL
	Token string
	// Transport says how the collector is reached and trusted; it is copied, so that
	// the measurement has connections of its own. Nil is http.DefaultTransport. It is
	// no http.RoundTripper: of one that wraps another, HTTP/2 could not be turned off.
	Transport *http.Transport
	// ICE tells the collector's STUN server, by which the round trip is taken.
	ICE func(context.Context) (wire.ICEConfig, error)
	// RoundTrip takes one round trip; nil asks the STUN server.
	RoundTrip func(context.Context) (time.Duration, error)
	// Resolver looks up names; nil is the system's own.
	Resolver Resolver
}

// NewLoad is the probe "media.load". Its data is a *report.MediaLoad. It fills
// the line and is to run only when somebody asks for it.
func NewLoad(c LoadConfig) probe.Probe {
	if c.Transport == nil {
		c.Transport = defaultTransport()
	}
	if c.Resolver == nil {
		c.Resolver = systemResolver
	}
	return load{c}
}

// defaultTransport is http.DefaultTransport, or what it is by default where a program
// has put something else in its place.
func defaultTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}

type load struct{ LoadConfig }

func (load) Name() string { return report.ProbeMediaLoad }
func (load) Version() int { return 2 } // 1 counted payload, and uploads by receipts

// Run measures at rest, then while receiving, then while sending.
func (p load) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.MediaLoad{}
	ask := p.question(ctx, env)
	data.IdleRTTMS = atRest(ctx, env, ask)
	down := whileFull(ctx, env, ask, p.receive)
	if errors.Is(down.err, errBusy) {
		return unknownLoad(data, noRoom), nil
	}
	data.DownKbps, data.DownCI95 = down.kbps(data.IdleRTTMS)
	data.DownBytes, data.LoadedRTTDownMS = down.moved(), down.rttMS
	drained(ctx, env, ask, data.IdleRTTMS)
	up := whileFull(ctx, env, ask, func(ctx context.Context, clock probe.Clock) (arrived, error) {
		return p.send(ctx, clock, data.IdleRTTMS)
	})
	if !errors.Is(up.err, errHeldBack) {
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

const noRoom = "the collector is measuring other lines: ask again later"

// whyUnknown is the note of a measurement that came to no end.
func whyUnknown(err error) string {
	status, _ := errors.AsType[*statusError](err)
	switch {
	case errors.Is(err, errBusy):
		return noRoom
	case errors.Is(err, errEarlier):
		return "the collector is of an earlier version, which does not measure uploads"
	case errors.Is(err, errHeldBack), status != nil && status.status == http.StatusRequestEntityTooLarge:
		return "a proxy before the collector holds uploads back"
	}
	return "the collector did not take part in the measurement to its end"
}

func unknownLoad(d *report.MediaLoad, why string) probe.Result {
	return probe.Result{Status: report.StatusUnknown, Note: why, Data: d}
}

// question asks the collector's STUN server; nil where none is known.
func (p load) question(ctx context.Context, env probe.Env) question {
	if p.RoundTrip != nil {
		return func(ctx context.Context) (echo.Reply, error) {
			rtt, err := p.RoundTrip(ctx)
			return echo.Reply{RTT: rtt}, err
		}
	}
	at := path{PathConfig{ICE: p.ICE, Resolver: p.Resolver, Toward: adapter.Toward}}.stunServer(ctx, env)
	if !at.IsValid() {
		return nil
	}
	return func(ctx context.Context) (echo.Reply, error) { return askSTUN(ctx, env, at) }
}

// atRest is the median round trip before anything is sent, in ms.
func atRest(ctx context.Context, env probe.Env, ask question) *float64 {
	begin := env.Clock.Now()
	phase, cancel := context.WithTimeout(ctx, idleTime)
	defer cancel()
	return medianSince(roundTrips(ctx, phase, env, ask), begin)
}

// drained waits until round trips are as short again as at rest: what still waits
// in the queue of the other direction would delay answers and confirmations.
func drained(ctx context.Context, env probe.Env, ask question, idleRTTMS *float64) {
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

// phase is what was measured while the line was full in one direction.
type phase struct {
	arrived
	rttMS *float64
	err   error
}

// whileFull runs work for as long as a phase may last, and takes the median round
// trip of the second half of it, in ms: the queue fills in the first.
func whileFull(ctx context.Context, env probe.Env, ask question, work func(context.Context, probe.Clock) (arrived, error)) (p phase) {
	full, cancel := context.WithTimeout(ctx, fullTime)
	defer cancel()
	taken := make(chan []roundTrip, 1)
	begin := env.Clock.Now()
	go func() { taken <- roundTrips(ctx, full, env, ask) }()
	p.arrived, p.err = work(full, env.Clock)
	took := env.Clock.Now().Sub(begin)
	cancel() // the line is idle from here on
	p.rttMS = medianSince(<-taken, begin.Add(took/2))
	return p
}
