package media

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// VoiceConfig says how to measure. Zero values take the defaults.
type VoiceConfig struct {
	// Signaller is nil when there is no collector; the result then says so.
	Signaller Signaller
	// RootCAs sign for turns: servers; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy names the proxy for a connection to a relay, as in http.Transport; nil means
	// that there is none.
	Proxy func(*http.Request) (*url.URL, error)
	// WebPort is the port at which the collector's pages are; 443 when it is 0.
	WebPort  int
	Duration time.Duration // of the stream; 6 s
	// Longest is how long the stream goes on where what it lost by then is in
	// doubt, as far as the budget reaches; without it, Duration.
	Longest time.Duration
	Payload int // bytes of RTP payload; wire.DefaultBytes

	GatherLimit time.Duration // wait for STUN and TURN servers; 1 s
	// TCPAfter is how long UDP to the media port is tried alone. Without it a
	// single lost check could let another way win, and the stream would be judged
	// by the wrong path.
	TCPAfter    time.Duration // 1.5 s
	ICELimit    time.Duration // answer to path; 5 s
	DTLSLimit   time.Duration // path to keys; 4 s
	SignalLimit time.Duration // for each request to the collector; 5 s
}

func (c VoiceConfig) withDefaults() VoiceConfig {
	c.WebPort = cmp.Or(c.WebPort, httpsPort)
	c.Duration = cmp.Or(c.Duration, 6*time.Second)
	c.Longest = max(c.Longest, c.Duration)
	c.Payload = cmp.Or(c.Payload, wire.DefaultBytes)
	c.GatherLimit = cmp.Or(c.GatherLimit, time.Second)
	c.TCPAfter = cmp.Or(c.TCPAfter, 1500*time.Millisecond)
	c.ICELimit = cmp.Or(c.ICELimit, 5*time.Second)
	c.DTLSLimit = cmp.Or(c.DTLSLimit, 4*time.Second)
	c.SignalLimit = cmp.Or(c.SignalLimit, 5*time.Second)
	return c
}

const (
	// shortestStream is the least time in which figures are worth anything.
	shortestStream = 2 * time.Second
	// closingTime is kept of the budget for the stragglers and the log.
	closingTime = 900 * time.Millisecond
	// closingLossy is kept of it by a stream that goes on for its loss: then the
	// request for the log may have to be sent twice.
	closingLossy = 2200 * time.Millisecond
)

// The phases of media.voice (see [probe.Phase]).
const (
	// PhaseConnect is the setting up, until the voice has its path and its keys or
	// will have none.
	PhaseConnect = "connect"
	// PhaseStream is the stream over UDP to the media port; TCP or a relay, which
	// may be reached over TLS, makes its packets larger.
	PhaseStream        = "stream"
	PhaseStreamTCP     = "stream_tcp"
	PhaseStreamRelayed = "stream_relayed"
)

// NewVoice returns the probe "media.voice".
func NewVoice(c VoiceConfig) probe.Probe { return &voice{cfg: c.withDefaults()} }

type voice struct{ cfg VoiceConfig }

// Name implements probe.Probe.
func (*voice) Name() string { return report.ProbeMediaVoice }

// Version implements probe.Probe.
func (*voice) Version() int { return 1 }

// Run implements probe.Probe. It never returns an error: whatever goes wrong is
// a state.
func (v *voice) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	if v.cfg.Signaller == nil {
		return ended(report.MediaNotEnrolled, report.StatusUnknown, "no collector to measure against"), nil
	}
	connecting, err := env.Enter(ctx, PhaseConnect)
	if err != nil {
		return ended(report.MediaInterrupted, report.StatusUnknown, "stopped before the collector answered"), nil
	}
	ice, err := v.servers(ctx)
	if err != nil {
		return v.notSignalled(env, err), nil
	}
	l, result := v.connect(ctx, env, ice)
	if result != nil {
		return *result, nil
	}
	defer l.close()
	_, _ = connecting.Next(ctx, streamPhase(l.path)) // a stopped stream says so itself

	usual, longest := v.durations(ctx, env)
	s := newStream(env.Clock, v.cfg.Payload, usual, longest)
	s.run(ctx, l, env.Progress)
	s.awaitStragglers(ctx, l)
	log, logErr := v.end(ctx, env.Clock, l.resource)
	measured := judge(measurement{
		stream: s.recording(), log: log, logErr: logErr, path: l.path,
		ice: l.ice, dtls: l.dtls, stopped: ctx.Err() != nil,
	})
	l.direct.fill(measured.Data.(*report.MediaVoice))
	return measured, nil
}

func streamPhase(path string) string {
	switch {
	case strings.HasPrefix(path, "relay"):
		return PhaseStreamRelayed
	case strings.HasSuffix(path, "udp"):
		return PhaseStream
	}
	return PhaseStreamTCP
}

// durations fits the stream into what is left of the budget, as long as that is
// worth measuring.
func (v *voice) durations(ctx context.Context, env probe.Env) (usual, longest time.Duration) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return v.cfg.Duration, v.cfg.Longest
	}
	left := deadline.Sub(env.Clock.Now())
	usual = min(v.cfg.Duration, max(left-closingTime, shortestStream))
	return usual, max(usual, min(v.cfg.Longest, left-closingLossy))
}

// connect brings the stream up to its first packet, or says how far it came.
func (v *voice) connect(ctx context.Context, env probe.Env, ice wire.ICEConfig) (*link, *probe.Result) {
	l, err := openLink(env, withoutTwins(ice, v.cfg.WebPort), v.cfg)
	if err != nil {
		env.Log.Warn("no WebRTC on this machine", "err", err)
		return nil, new(ended(report.MediaICEFailed, report.StatusUnknown, report.ErrorText(err)))
	}
	fail := func(r probe.Result) (*link, *probe.Result) {
		if l.resource != "" {
			_, _ = v.end(ctx, env.Clock, l.resource)
		}
		l.close()
		return nil, &r
	}
	offer, err := l.offer(ctx, v.cfg.GatherLimit)
	if err != nil {
		return fail(ended(report.MediaICEFailed, report.StatusUnknown, report.ErrorText(err)))
	}
	answer, err := v.exchange(ctx, l, offer)
	if err != nil {
		return fail(v.notSignalled(env, err))
	}
	if err := l.connect(ctx, answer, v.cfg); err != nil {
		env.Log.Info("no media path", "err", err)
		return fail(l.failure(err))
	}
	return l, nil
}

func (v *voice) servers(ctx context.Context) (wire.ICEConfig, error) {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.SignalLimit)
	defer cancel()
	return v.cfg.Signaller.ICE(ctx)
}

func (v *voice) exchange(ctx context.Context, l *link, offer string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(ctx, v.cfg.SignalLimit)
	defer cancel()
	asked := l.clock.Now()
	answer, l.resource, err = v.cfg.Signaller.Offer(ctx, offer)
	l.answered = l.clock.Now().Sub(asked)
	return answer, err
}

// end fetches the log even when the check was stopped: the session would
// otherwise hold its place on the reflector. The plan's grace bounds it: without
// the log the echoes still tell something, an answer too late tells nothing.
func (v *voice) end(ctx context.Context, clock probe.Clock, resource string) (wire.EchoLog, error) {
	limit := min(v.cfg.SignalLimit, 2*time.Second)
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, max(0, deadline.Sub(clock.Now()))+probe.Grace/2)
	}
	if ctx.Err() != nil {
		limit = probe.Grace / 2
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	log, err := v.cfg.Signaller.End(ctx, resource)
	if err == nil {
		err = log.Validate()
	}
	return log, err
}

// notSignalled is the result when the collector gave no echo session. It says
// nothing about the participant's line.
func (v *voice) notSignalled(env probe.Env, err error) probe.Result {
	env.Log.Info("no echo session", "err", err)
	refused, _ := errors.AsType[*SignalError](err)
	switch {
	// Both are decisions of the office, not faults of its server, and pass by no
	// repetition. The code tells the collector's own answer from a proxy's.
	case refused != nil && refused.Code == "participant_blocked":
		return ended(report.MediaBlocked, report.StatusUnknown, report.ErrorText(err))
	case refused != nil && refused.Code == "token_invalid":
		return ended(report.MediaUnknownAgent, report.StatusUnknown, report.ErrorText(err))
	case isServerAnswer(err):
		return ended(report.MediaServerError, report.StatusUnknown, report.ErrorText(err))
	case errors.Is(err, context.Canceled):
		return ended(report.MediaInterrupted, report.StatusUnknown, "stopped before the collector answered")
	}
	return ended(report.MediaNoSignalling, report.StatusUnknown, report.ErrorText(err))
}

func ended(state report.MediaState, status report.Status, note string) probe.Result {
	return probe.Result{Status: status, Note: note, Data: &report.MediaVoice{State: state}}
}
