package check

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/report"
)

// plan returns the selected steps.
func (o Options) plan(ctx context.Context) (probe.Plan, error) {
	plan := o.Plan
	if plan == nil {
		var err error
		if plan, err = o.allSteps(ctx); err != nil {
			return nil, err
		}
	}
	if len(o.Only) == 0 {
		plan = plan.Usual()
		return plan, plan.Check()
	}
	selected, err := selection(o.Only, o.known(plan), plan)
	if err != nil {
		return nil, err
	}
	plan, _ = plan.Only(selected)
	return plan, plan.Check()
}

// ProbeNames returns the names of the probes of the default plan, with those on request.
// Those of the conference systems depend on the target.
func ProbeNames() []string {
	o := Options{}
	return o.known(o.steps(sources{}))
}

// known returns the names that Only may select: the probes of the plan, and those of
// the conference systems as long as the target's is unknown.
func (o Options) known(plan probe.Plan) (names []string) {
	for _, s := range plan {
		names = append(names, s.Probe.Name())
	}
	if o.Target != "" && o.system == nil {
		// The system may be known only after a request to the server.
		for _, s := range conference.Systems() {
			names = append(names, s.Name())
		}
	}
	return names
}

// allSteps returns the steps of the default plan, with those on request.
func (o Options) allSteps(ctx context.Context) (probe.Plan, error) {
	if err := checkLifetime(o.BindingLifetime); err != nil {
		return nil, err
	}
	s, err := o.sources(ctx)
	if err != nil {
		return nil, err
	}
	return o.steps(s), nil
}

// inputBudget returns the budget of audio.input.
func (o Options) inputBudget() time.Duration {
	if o.SpeakFor == 0 {
		return listenBudget
	}
	return o.SpeakFor + captureOverhead
}

// lifetimeSearch returns the additional time of the search for the lifetime of a
// NAT binding: two rounds, each at most BindingLifetime long and with bindings of some
// age, and the timeouts that end them.
func (o Options) lifetimeSearch() time.Duration {
	if o.BindingLifetime == 0 {
		return 0
	}
	return 2*(o.BindingLifetime+nat.StreamTime) + 2*behaviorBudget
}

// noAudioReason returns why the check does not open the microphone; "" if it does.
// Without the microphone nothing can hear the sound of the loudspeaker either.
func (o Options) noAudioReason() string {
	switch {
	case o.NoAudio:
		return "the microphone was omitted on request"
	case o.Trigger == report.TriggerSchedule:
		return "a scheduled check does not open the microphone"
	}
	return ""
}

// unless returns p, or a probe that reports it as skipped if there is a reason.
func unless(why string, p probe.Probe) probe.Probe {
	if why == "" {
		return p
	}
	return skipped{p.Name(), why}
}

// skipped reports a probe that was not run as skipped. A missing result could be
// mistaken for a good one.
type skipped struct{ name, why string }

func (s skipped) Name() string { return s.name }
func (s skipped) Version() int { return 1 }
func (s skipped) Run(context.Context, probe.Env) (probe.Result, error) {
	return probe.Result{Status: report.StatusSkipped, Note: s.why}, nil
}
