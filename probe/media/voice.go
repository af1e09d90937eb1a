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
	"github.com/tonprobe/tonprobe/probe/media/judge"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// VoiceConfig configures the measurement. Zero values select the defaults.
type VoiceConfig struct {
	// Signaller is nil if there is no collector; the result then says so.
	Signaller Signaller
	// RootCAs verify turns: servers; nil means the system's.
	RootCAs *x509.CertPool
	// Proxy returns the proxy for a connection to a relay, as in http.Transport;
	// nil means no proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// WebPort is the port of the collector's web server; 0 means 443.
	WebPort  int
	Duration time.Duration // of the stream; default 6 s
	// Longest is the length of the stream if its loss is in doubt after Duration,
	// limited by the budget; 0 means Duration.
	Longest time.Duration
	Payload int // bytes of RTP payload; default wire.DefaultBytes

	GatherLimit time.Duration // wait for STUN and TURN servers; default 1 s
	// TCPAfter is the time for which only UDP to the media port is tried. Without
	// it a single lost check could select another path, and the result would be for
	// the wrong path.
	TCPAfter    time.Duration // default 1.5 s
	ICELimit    time.Duration // from the answer to the path; default 5 s
	DTLSLimit   time.Duration // from the path to the keys; default 4 s
	SignalLimit time.Duration // for each request to the collector; default 5 s

	wall func() time.Time // in tests; nil means the wall clock of probe.Env.Clock
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
	// shortestStream is the shortest stream with meaningful figures.
	shortestStream = 2 * time.Second
	// closingTime is the part of the budget reserved for the last echoes and the
	// log.
	closingTime = 900 * time.Millisecond
	// closingLossy is that part for an extended stream: with loss, the request for
	// the log may have to be repeated.
	closingLossy = 2200 * time.Millisecond
)

// Phases of media.voice (see [probe.Phase]).
const (
	// PhaseConnect is the connection set-up, until path and keys exist or have
	// failed.
	PhaseConnect = "connect"
	// PhaseStream is the stream over UDP to the media port. Over TCP, or a relay,
	// which may be reached over TLS, the packets are larger.
	PhaseStream        = "stream"
	PhaseStreamTCP     = "stream_tcp"
	PhaseStreamRelayed = "stream_relayed"
)

// NewVoice returns the probe "media.voice".
func NewVoice(c VoiceConfig) probe.Probe { return &voice{cfg: c.withDefaults()} }

type voice struct{ cfg VoiceConfig }

// Name implements probe.Probe.
func (*voice) Name() string { return report.ProbeMediaVoice }

// Phases implements probe.Phased.
func (*voice) Phases() []string {
	return []string{PhaseConnect, PhaseStream, PhaseStreamTCP, PhaseStreamRelayed}
}

// Version implements probe.Probe.
func (*voice) Version() int { return 1 }

// Run implements probe.Probe. It never returns an error: each failure is a state.
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
	_, _ = connecting.Next(ctx, streamPhase(l.path)) // a cancelled stream reports it itself

	usual, longest := v.durations(ctx, env)
	s := newStream(env.Clock, v.cfg.wall, v.cfg.Payload, usual, longest)
	s.run(ctx, l, env.Progress)
	s.awaitStragglers(ctx, l)
	log, logErr := v.end(ctx, env.Clock, l.resource)
	measured := judge.Voice(judge.Measurement{
		Stream: s.recording(), Log: log, LogErr: logErr, Path: l.path,
		ICE: l.ice, DTLS: l.dtls, Stopped: ctx.Err() != nil,
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

// durations fits the stream into the remaining budget. It is never shorter than
// shortestStream.
func (v *voice) durations(ctx context.Context, env probe.Env) (usual, longest time.Duration) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return v.cfg.Duration, v.cfg.Longest
	}
	left := deadline.Sub(env.Clock.Now())
	usual = min(v.cfg.Duration, max(left-closingTime, shortestStream))
	return usual, max(usual, min(v.cfg.Longest, left-closingLossy))
}

// connect prepares the stream for its first packet, or returns the result of the
// failed step.
func (v *voice) connect(ctx context.Context, env probe.Env, ice wire.ICEConfig) (*link, *probe.Result) {
	l, err := openLink(env, dedupeRelays(ice, v.cfg.WebPort), v.cfg)
	if err != nil {
		env.Log.Warn("WebRTC could not be started", "err", err)
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

// end requests the log even if the check was cancelled: otherwise the session would
// occupy its place on the reflector. It is limited by the plan's grace: without the
// log the echoes still yield figures, but a late result is lost.
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

// notSignalled is the result if the collector did not open an echo session. It says
// nothing about the participant's line.
func (v *voice) notSignalled(env probe.Env, err error) probe.Result {
	env.Log.Info("no echo session", "err", err)
	refused, _ := errors.AsType[*SignalError](err)
	switch {
	// Both are decisions of the operator, not faults of the server, and a retry
	// does not help. The code distinguishes the collector's own response from a
	// proxy's.
	case refused != nil && refused.Code == "participant_blocked":
		return ended(report.MediaBlocked, report.StatusUnknown, report.ErrorText(err))
	case refused != nil && (refused.Code == "token_invalid" || refused.Code == wire.CodeErased):
		return ended(report.MediaUnknownAgent, report.StatusUnknown, report.ErrorText(err))
	case isServerAnswer(err):
		return ended(report.MediaServerError, report.StatusUnknown, report.ErrorText(err))
	case errors.Is(err, ErrInterrupted):
		return ended(report.MediaInterrupted, report.StatusUnknown, report.ErrorText(err))
	case errors.Is(err, context.Canceled):
		return ended(report.MediaInterrupted, report.StatusUnknown, "stopped before the collector answered")
	}
	return ended(report.MediaNoSignalling, report.StatusUnknown, report.ErrorText(err))
}

func ended(state report.MediaState, status report.Status, note string) probe.Result {
	return probe.Result{Status: status, Note: note, Data: &report.MediaVoice{State: state}}
}
