// Package visit contains what the checks of all conference systems share: a client that
// a hostile server cannot exhaust, and the record of the steps.
package visit

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/idna"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Limits of one visit. A conference check adds at most 6 s to a check.
const (
	// StepTime limits each step, StreamTime the stream.
	StepTime   = 3 * time.Second
	StreamTime = 6 * time.Second
	// MaxAnswerBytes limits what is read of one response.
	MaxAnswerBytes = 1 << 20
	// maxRedirects is the number of redirects that are followed on the same host.
	maxRedirects = 5
)

// Config configures a visit.
type Config struct {
	// URL is the base address of the system, without user, query and fragment.
	URL *url.URL
	// JoinLink admits this check to a test meeting; nil for none. It is valid for
	// minutes and for that meeting only; it must still not occur in logs and reports.
	JoinLink *url.URL
	// RootCAs are the trusted authorities; nil means the system's.
	RootCAs *x509.CertPool
	// Direct ignores the proxies of this computer. Only tests set it.
	Direct bool
	// Room opens a test room of the system; nil if there is none.
	Room *wire.Room
	// Token authorises this check at a WHIP endpoint (RFC 9725 §4.7); "" for none. It is
	// a secret that expires within minutes.
	Token string
	// NoMedia makes no call.
	NoMedia bool
	// Ports are the published ports of a system whose media path is not public.
	Ports Ports
	// Requested receives the requests of the steps, possibly concurrently; nil for none.
	Requested func(Request)
}

// Ports are ports to try, and a second server to try them at.
type Ports struct {
	TCP, UDP []uint16
	// Control is the collector; nil for none. What leaves this network for one server usually
	// leaves for another one too.
	Control *url.URL
}

// Visit is one check of one conference system. Its steps are recorded in Data, in
// order.
type Visit struct {
	Config
	Env  probe.Env
	Data *report.Conference

	// CallHost is the host that makes the call if it is not that of URL.
	CallHost string

	path string // of URL as configured; a redirect may replace that of URL
	web  *web
	trip trip
}

// New prepares a visit. Close ends it.
func New(c Config, env probe.Env) *Visit {
	v := &Visit{Config: c, Env: env, path: c.URL.Path, Data: &report.Conference{URLHost: c.URL.Hostname()}}
	v.web = newWeb(v)
	return v
}

// Close closes the idle connections.
func (v *Visit) Close() { v.web.close() }

// Outcome is the result of a step. Code is the reason, as one word or number of the
// server or this program; empty for a step without a fault.
type Outcome struct {
	Status report.Status
	Code   string
	// Elsewhere is the host that the step concerns if it is not that of [Visit.URL].
	Elsewhere string
}

// OK is the outcome of a successful step.
func OK() Outcome { return Outcome{Status: report.StatusOK} }

// Fault is the outcome of a failed step.
func Fault(code string) Outcome { return Outcome{Status: report.StatusFail, Code: code} }

// Failed is the outcome of a step that an error ended. It names the host of a redirect that was
// not followed.
func Failed(err error) Outcome {
	o := Fault(FaultOf(err))
	var away *RedirectError
	if errors.As(err, &away) {
		o.Elsewhere = away.To.Hostname()
	}
	return o
}

// Untested is the outcome of a step that could not be done, with the reason.
func Untested(code string) Outcome { return Outcome{Status: report.StatusUnknown, Code: code} }

// Reasons why steps are not tested.
const (
	// NeedsLink: the step requires a join link or a token of the collector.
	NeedsLink = "needs_link"
	// Closed: the protocol of the system is not public.
	Closed = "closed_protocol"
	// ThroughProxy: the client uses the proxy of this computer.
	ThroughProxy = "through_proxy"
	// StepFailed: a previous step failed.
	StepFailed = "step_before"
	// NoCall: the background service makes no calls.
	NoCall = "background"
	// NoTime: the time for the check has run out.
	NoTime = "no_time"
	// NotReturned: the system returns no sound.
	NotReturned = "not_returned"
	// Busy: this computer missed the schedule of the stream.
	Busy = "computer_busy"
)

// Phases of a step (see [probe.Phase]).
const (
	// PhaseStep is a connection with its encryption and a large response.
	PhaseStep = "step"
	// PhaseRequests is a few small requests, the packets that establish a media path, or a
	// connection that resumes a TLS session.
	PhaseRequests = "requests"
)

// Do performs a step within StepTime, records it and reports whether it succeeded.
func (v *Visit) Do(ctx context.Context, name report.ConferenceStep, step func(context.Context) Outcome) bool {
	s := &Early{name: name, never: newEvent()}
	s.run(ctx, v, step)
	return v.finish(s)
}

// Early is a step that runs concurrently with others. On a line with long round trips this
// saves time if the steps do not depend on each other.
type Early struct {
	name report.ConferenceStep
	done chan struct{} // closed when the step has ended
	out  Outcome
	took time.Duration
	late bool // there was no time to begin it
	// panicked is a panic in the step; nil for none. Finish panics with it on the goroutine of
	// the probe, where the plan recovers it.
	panicked error
	// never is closed by Abandon.
	never *event
	// besideAPI is set for a step that begins with the API and waits for its answer.
	besideAPI bool
}

// Begin starts a step once the given ones have ended. Finish records it.
func (v *Visit) Begin(ctx context.Context, name report.ConferenceStep, step func(context.Context) Outcome, after ...*Early) *Early {
	return v.begin(ctx, name, step, func(*Early) bool {
		for _, other := range after {
			<-other.done
		}
		return true
	})
}

// BeginShared starts a step once its requests can share the connection of an earlier request,
// or that one has been answered. If neither happens, Abandon ends the wait. The step has the time
// of the API in addition to its own. Finish records it.
func (v *Visit) BeginShared(ctx context.Context, name report.ConferenceStep, step func(context.Context) Outcome) *Early {
	return v.begin(ctx, name, step, func(s *Early) bool {
		s.besideAPI = true
		return v.awaitShared(ctx, s)
	})
}

// BeginConnected is BeginShared for a step that also needs the connections that were opened
// ahead.
func (v *Visit) BeginConnected(ctx context.Context, name report.ConferenceStep, step func(context.Context) Outcome) *Early {
	return v.begin(ctx, name, step, func(s *Early) bool { return v.awaitShared(ctx, s) && v.awaitAhead(ctx, s) })
}

func (v *Visit) awaitShared(ctx context.Context, s *Early) bool {
	select {
	case <-v.web.shared.c:
		return true
	case <-v.web.answered.c:
		return true
	case <-s.never.c:
	case <-ctx.Done():
	}
	return false
}

func (v *Visit) begin(ctx context.Context, name report.ConferenceStep, step func(context.Context) Outcome, await func(*Early) bool) *Early {
	s := &Early{name: name, done: make(chan struct{}), never: newEvent()}
	go func() {
		defer close(s.done)
		s.panicked = guard.Do(func() {
			if !await(s) {
				s.late = true
				return
			}
			s.run(ctx, v, step)
		})
	}()
	return s
}

// Finish waits for a step, records it and reports whether it succeeded.
func (v *Visit) Finish(s *Early) bool {
	<-s.done
	if s.panicked != nil {
		panic(s.panicked)
	}
	return v.finish(s)
}

// Abandon ends the wait of a step for connections. A step that has begun continues, so that it
// can leave what it has joined.
func (s *Early) Abandon() { s.never.happen() }

// Wait waits for a step without recording it.
func (s *Early) Wait() {
	<-s.done
	if s.panicked != nil {
		panic(s.panicked)
	}
}

func (s *Early) run(ctx context.Context, v *Visit, step func(context.Context) Outcome) {
	phase, limit := v.phaseOf(s.name), StepTime
	switch {
	case s.name == report.StepSoundUp:
		limit = StreamTime
	case s.besideAPI:
		limit = 2 * StepTime
	}
	// A step whose time ran while its connection waits for the line would blame the server.
	if (s.name == report.StepSignalling || s.name == report.StepState) && !v.awaitAhead(ctx, s) {
		s.late = true
		return
	}
	pass, err := v.Env.Enter(ctx, phase)
	defer pass.Leave()
	if err != nil || ctx.Err() != nil {
		s.late = true
		return
	}
	within, cancel := context.WithTimeout(ofStep(ctx, s.name), limit)
	defer cancel()
	began := v.Env.Clock.Now()
	s.out = step(within)
	s.took = v.Env.Clock.Now().Sub(began)
	// A check that was stopped, or whose time is over, proves no fault. What the server answered
	// with a number counts, and Media judges an interrupted stream.
	if _, err := strconv.Atoi(s.out.Code); err != nil && ctx.Err() != nil && s.out.Status == report.StatusFail && s.name != report.StepSoundUp {
		s.out = Untested(NoTime)
		if (s.name == report.StepPath || s.name == report.StepKeys) && v.Data.Media != nil {
			v.Data.Media.State = report.MediaInterrupted // not a failure of ICE or DTLS
		}
	}
}

// phaseOf returns the phase of a step.
func (v *Visit) phaseOf(name report.ConferenceStep) string {
	switch name {
	case report.StepSoundUp:
		return PhaseStream
	case report.StepRoundTrip, report.StepPorts, report.StepRelay, report.StepState, report.StepPath, report.StepKeys:
		return PhaseRequests
	case report.StepSignalling:
		if v.web.ahead.Load() != nil { // over a connection that exists
			return PhaseRequests
		}
	}
	return PhaseStep
}

func (v *Visit) finish(s *Early) bool {
	if s.late {
		v.Skip(s.name, NoTime)
		return false
	}
	v.record(s.name, s.out, s.took)
	return s.out.Status == report.StatusOK
}

// record records a step.
func (v *Visit) record(name report.ConferenceStep, o Outcome, took time.Duration) {
	host := o.Elsewhere
	if host == "" && slices.Contains(mediaSteps[:], name) {
		host = v.CallHost
	}
	host = v.otherHost(cmp.Or(host, v.URL.Hostname()))
	v.Data.Checks = append(v.Data.Checks, report.ConferenceCheck{
		Name: name, Status: o.Status, Code: o.Code, Host: host, MS: new(Milliseconds(took)),
	})
	if name == report.StepSignalling && o.Status == report.StatusOK {
		v.Data.SignallingMS = new(Milliseconds(took))
	}
	if first := report.ConferenceStep(v.Data.FailedStep); o.Status == report.StatusFail && (first == "" || isMinor(first) && !isMinor(name)) {
		v.Data.FailedStep, v.Data.FailedCode, v.Data.FailedHost = string(name), o.Code, host
	}
}

// isMinor reports whether a client can go on after a step has failed. Such a fault does not
// hide a later one.
func isMinor(name report.ConferenceStep) bool {
	return name == report.StepRoundTrip || name == report.StepRelay || name == report.StepPorts
}

// reHost matches the host names that a report may contain.
var reHost = regexp.MustCompile(`^[A-Za-z0-9.:_-]{1,253}$`)

// otherHost returns a host that a server named if it is another one than that of the check; ""
// if it is the same or cannot be a host.
func (v *Visit) otherHost(host string) string {
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if strings.EqualFold(host, v.Data.URLHost) || !reHost.MatchString(host) {
		return ""
	}
	return host
}

// Goal is the intended duration of a check, not counting the time for which its steps wait for
// other probes.
const Goal = 6 * time.Second

// Shares of Goal.
const (
	// ShortestStream is the shortest length of a stream whose figures count.
	ShortestStream = enoughPackets * 20 * time.Millisecond
	// besideStream is the time for the search for a path and for the last packets.
	besideStream = 900 * time.Millisecond
)

// StreamTime returns the length of a stream to this server, at most whole. It is shorter on a
// line with long round trips, so that the check, which takes trips round trips besides the
// stream, ends within Goal.
func (v *Visit) StreamTime(whole time.Duration, trips int) time.Duration {
	left := Goal - besideStream - time.Duration(trips)*v.trip.shortest()
	return min(max(left, ShortestStream), whole)
}

// NoteTrip records the duration of an exchange that is not a request over HTTP.
func (v *Visit) NoteTrip(took time.Duration) { v.trip.note(took) }

// trip is the shortest duration of a request so far.
type trip struct {
	mu   sync.Mutex
	all  int
	best time.Duration
}

func (t *trip) note(took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all++
	if t.all == 1 || took < t.best {
		t.best = took
	}
}

// shortest returns the shortest duration; 0 before two requests, because the first one also
// opens the connection.
func (t *trip) shortest() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all < 2 {
		return 0
	}
	return t.best
}

// PhaseStream is the voice-like stream to the system and back.
const PhaseStream = "stream"

// Media performs the steps of a call. call exchanges offer and answer; the path, the
// keys, and the sound in both directions follow.
func (v *Visit) Media(ctx context.Context, c Call, call func(context.Context) Outcome) {
	d := &report.MediaVoice{State: report.MediaNoSignalling}
	v.Data.Media = d
	m := &media{v: v, c: c, d: d}
	for i, step := range []func(context.Context) Outcome{call, m.path, m.keys} {
		if !v.Do(ctx, mediaSteps[i], step) {
			v.SkipAll(StepFailed, mediaSteps[i+1:]...)
			return
		}
	}
	v.Do(ctx, report.StepSoundUp, m.soundUp)
	if m.sound.Fault != "" {
		v.Skip(report.StepSoundDown, StepFailed)
		return
	}
	if m.sound.Sent == 0 {
		v.Skip(report.StepSoundDown, NoTime)
		return
	}
	v.record(report.StepSoundDown, m.soundDown(), 0) // takes no time
}

// mediaSteps contains the steps of Media, in order.
var mediaSteps = [...]report.ConferenceStep{report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown}

// SkipMedia records that no call was made, with the reason.
func (v *Visit) SkipMedia(why string) { v.SkipAll(why, mediaSteps[:]...) }

// SkipAll records several steps that were not done, with the reason.
func (v *Visit) SkipAll(why string, names ...report.ConferenceStep) {
	for _, name := range names {
		v.Skip(name, why)
	}
}

// Skip records a step that was not done, with the reason.
func (v *Visit) Skip(name report.ConferenceStep, why string) {
	v.Data.Checks = append(v.Data.Checks, report.ConferenceCheck{Name: name, Status: report.StatusUnknown, Code: why})
}

// Explain replaces the code of the first of these steps that failed by a more specific
// one, which the server of the check reported.
func (v *Visit) Explain(code string, names ...report.ConferenceStep) {
	host := v.otherHost(v.URL.Hostname())
	for i, c := range v.Data.Checks {
		if c.Status == report.StatusFail && slices.Contains(names, c.Name) {
			v.Data.Checks[i].Code, v.Data.Checks[i].Host = code, host
			if v.Data.FailedStep == string(c.Name) {
				v.Data.FailedCode, v.Data.FailedHost = code, host
			}
			return
		}
	}
}

// Milliseconds returns d in ms, rounded to 0.01 ms.
func Milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// FaultOf describes a connection error in one word.
func FaultOf(err error) string {
	var elsewhere *RedirectError
	switch {
	case errors.As(err, &elsewhere):
		return "redirected"
	case errors.Is(err, errRedirects):
		return "redirect_loop"
	case errors.Is(err, ErrTooLong), errors.Is(err, websocket.ErrMessageTooBig):
		return "too_long"
	}
	return connectionFault(err)
}
