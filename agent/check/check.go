// Package check builds the plan of a check, runs it and makes the report. The
// screen, the background service and the demo all use it.
package check

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"time"

	"github.com/google/uuid"
	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Collector is the server of the echo and of the list of ICE servers.
type Collector = collector.Endpoint

// Options configures a check. The zero value checks the default microphone and
// reports everything that needs a collector as unknown.
type Options struct {
	Profile string // "" means diagnose.DefaultProfile
	// Target is the conference system's address, or the name of one of the collector's
	// targets, as [Target] reads it; "" means the collector's address.
	Target string
	// KnownTargets are the targets that the collector named last. They are used if it does
	// not respond in this check.
	KnownTargets wire.Targets
	// LearnTargets, if not nil, receives the targets that the collector names in this check,
	// without credentials.
	LearnTargets func(wire.Targets)
	Device       string // "" means the default microphone
	// NoAudio does not open the microphone. Scheduled checks set it.
	NoAudio bool
	// OtherMicrophones also records from the other microphones, to name the one
	// that picks up the voice if the chosen one does not.
	OtherMicrophones bool
	// Speaker adds audio.output after audio.input. It plays a sound: ask first.
	Speaker bool
	// ToneHeard, if not nil, asks the person whether they heard the test sound. It
	// returns nil if there is no answer.
	ToneHeard func(ctx context.Context) *bool
	// Keep, if not nil, receives the end of the recording, in memory only.
	Keep *audio.Recording
	// Load also measures the throughput and the delay under load (media.load). It
	// transfers up to 4 MB in each direction and disturbs a running session.
	Load bool
	// BindingLifetime is the longest idle time for which nat.behavior tests whether
	// the NAT keeps a binding; 0 skips the test. The test takes up to twice as
	// long. See MinBindingLifetime.
	BindingLifetime time.Duration
	// Only lists the probes to run, by name or by group (the first word of a name);
	// empty means all. A group includes media.load and audio.output only if Load
	// and Speaker are set.
	Only []string
	// SpeakFor is the length of the recording; 0 means until enough speech was
	// heard.
	SpeakFor time.Duration
	Trigger  report.Trigger // "" means report.TriggerCheck
	// Recorded returns the events that the service on this computer has recorded; nil
	// without a service.
	Recorded crash.Recorded
	// History returns the last minutes of the flight recorder for a check that support
	// asked for; nil without a service. It may return nil.
	History func(ctx context.Context, at time.Time) *report.HostHistory
	Version string
	AgentID string
	// Collector is nil when the agent is not enrolled.
	Collector *Collector
	// Env's zero fields default to the system's clock, network and random source.
	Env      probe.Env
	Progress func(probe.Event)
	// Plan replaces the default plan.
	Plan probe.Plan
	// Probes describes the data of the plan's probes; the zero value describes those of
	// this version. Data without a description is left out of the report.
	Probes report.Probes

	// system is the probe of the conference system at Target; nil if there is none
	// or the system is unknown.
	system probe.Probe
	// The collector's data about the target.
	targetSystem string     // "" means that the system is recognised by its address
	room         *wire.Room // a test room
	token        string     // for a WHIP endpoint
	joinLink     *url.URL   // a link into a test meeting
	// limits are the limits of the diagnosis: those of Profile, or the municipality's own.
	limits *diagnose.Profile
}

// Run makes one check. A bad line or a silent microphone is a result in the report,
// not an error. The errors are [ErrCancelled], [*UnknownProbeError],
// [*UnknownTargetError], [*NotEnrolledError], [*diagnose.UnknownProfileError],
// [*origin.Error], [*LifetimeError], or that the report is invalid.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	o = o.withDefaults()
	var err error
	if o.Target, err = Target(o.Target); err != nil {
		return nil, err
	}
	env, err := o.env()
	if err != nil {
		return nil, err
	}
	if o, err = o.resolveTarget(ctx, env); err != nil {
		return nil, err
	}
	if o.limits == nil {
		profile, err := diagnose.LoadProfile(o.Profile)
		if err != nil {
			return nil, err
		}
		o.limits = &profile
	}
	if o.system, err = o.findSystem(ctx, env); err != nil {
		return nil, err
	}
	plan, err := o.plan(ctx)
	if err != nil {
		return nil, err
	}
	r, err := o.blank(env)
	if err != nil {
		return nil, err
	}
	out := plan.Run(ctx, env)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
	}
	askTone(ctx, out.Results, o.ToneHeard)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", ErrCancelled, context.Cause(ctx))
	}
	r.Probes = append(out.Results, o.history(ctx, r.StartedAt)...)
	r.DurationMS = out.Duration.Milliseconds()
	r.FirstVerdictMS = out.FirstVerdict.Milliseconds()
	// Redact before the diagnosis: evidence repeats the data, and support has to
	// see the same verdict as the participant.
	r = o.Probes.Redact(r, report.Policy{})
	diagnose.Finish(r, *o.limits)
	if err := o.Probes.Validate(r); err != nil {
		return nil, fmt.Errorf("finish the report: %w", err)
	}
	return r, nil
}

// history returns what the flight recorder has kept, if support asked for the check.
func (o Options) history(ctx context.Context, at time.Time) []report.Result {
	if o.Trigger != report.TriggerSupport || o.History == nil {
		return nil
	}
	h := o.History(ctx, at)
	if h == nil {
		return nil
	}
	return []report.Result{{Name: report.ProbeHostHistory, Version: 1, Status: report.StatusOK, StartedAt: at, Data: h}}
}

// Validate returns the error that Run would return before it measures anything.
func (o Options) Validate() error {
	if _, err := diagnose.LoadProfile(o.Profile); err != nil {
		return err
	}
	if _, err := Target(o.Target); err != nil {
		return err
	}
	_, err := o.withDefaults().plan(context.Background())
	return err
}

func (o Options) withDefaults() Options {
	if o.Profile == "" {
		o.Profile = diagnose.DefaultProfile
	}
	if o.Trigger == "" {
		o.Trigger = report.TriggerCheck
	}
	if o.AgentID == "" {
		o.AgentID = uuid.Nil.String()
	}
	return o
}

// env sets the defaults of Env.
func (o Options) env() (probe.Env, error) {
	env := o.Env
	if env.Clock == nil {
		env.Clock = probe.SystemClock{}
	}
	if env.Rand == nil {
		env.Rand = rand.Reader
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress != nil {
		env.Progress = o.Progress
	}
	if env.Net == nil {
		n, err := stdnet.NewNet()
		if err != nil {
			return env, fmt.Errorf("list this computer's network interfaces: %w", err)
		}
		env.Net = lookup.Net{Net: n, Resolver: lookup.System(), Timeout: lookupTime}
	}
	return env, nil
}

// blank returns the report before any measurement.
func (o Options) blank(env probe.Env) (*report.Report, error) {
	started := env.Clock.Now().UTC()
	id, err := report.NewID(started, env.Rand)
	if err != nil {
		return nil, err
	}
	code, err := report.NewCase(env.Rand)
	if err != nil {
		return nil, err
	}
	return &report.Report{
		Schema: report.SchemaV1, ID: id, Case: code,
		Agent:   report.Agent{ID: o.AgentID, Version: o.Version, OS: runtime.GOOS, Arch: runtime.GOARCH},
		Trigger: o.Trigger, Profile: o.Profile, Limits: o.limits.Changed(), Target: conference.WebAddress(o.Target),
		StartedAt: started,
		Verdict:   report.Unknown, Causes: []report.Cause{},
	}, nil
}
