package check

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

type fake struct {
	name string
	run  func(context.Context, probe.Env) (probe.Result, error)
}

func (f fake) Name() string { return f.name }
func (f fake) Version() int { return 1 }
func (f fake) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	return f.run(ctx, env)
}

// bubble is synctest.Test that also waits for the timers of probe.Grace.
func bubble(t *testing.T, f func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(2 * probe.Grace)
	})
}

// after returns a step whose probe reports ok after d.
func after(name string, d time.Duration) probe.Step {
	return probe.Step{Budget: time.Minute, Turn: probe.Turn{Sends: probe.Nothing()}, Probe: fake{name, func(ctx context.Context, env probe.Env) (probe.Result, error) {
		if err := env.Clock.Sleep(ctx, d); err != nil {
			return probe.Result{}, err
		}
		return probe.Result{Status: report.StatusOK}, nil
	}}}
}

func TestReportIsComplete(t *testing.T) {
	bubble(t, func(t *testing.T) {
		agent := uuid.NewString()
		started := time.Now()
		r, err := Run(t.Context(), Options{
			Version: "1.2.3", AgentID: agent, Target: "https://bbb.example.org",
			Plan: probe.Plan{after(report.ProbeNetworkWeb, time.Second), after(report.ProbeNAT, 3*time.Second)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if id, err := uuid.Parse(r.ID); err != nil || id.Version() != 7 {
			t.Errorf("id %q is not a UUIDv7", r.ID)
		}
		if c, ok := report.NormalizeCase(r.Case); !ok || c != r.Case {
			t.Errorf("case %q is not a case code", r.Case)
		}
		if !r.StartedAt.Equal(started) || r.StartedAt.Location() != time.UTC {
			t.Errorf("got a start at %v, want %v in UTC", r.StartedAt, started)
		}
		if r.DurationMS != 3000 || r.FirstVerdictMS != 1000 {
			t.Errorf("got duration %d, first verdict %d; want 3000, 1000", r.DurationMS, r.FirstVerdictMS)
		}
		if r.Schema != report.SchemaV1 || r.Agent.ID != agent || r.Agent.Version != "1.2.3" ||
			r.Trigger != report.TriggerCheck || r.Profile != diagnose.DefaultProfile || r.Target != "https://bbb.example.org" {
			t.Errorf("got report %+v; want Schema %s, Agent.ID %s, Agent.Version 1.2.3, Trigger %s, Profile %s, Target https://bbb.example.org",
				r, report.SchemaV1, agent, report.TriggerCheck, diagnose.DefaultProfile)
		}
	})
}

func TestCancelledCheckIsNoReport(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := Run(ctx, Options{Plan: probe.Plan{after(report.ProbeNAT, time.Hour)}})
		if r != nil || !errors.Is(err, ErrCancelled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, error %v; want nil, %v, %v", r, err, ErrCancelled, context.DeadlineExceeded)
		}
	})
}

func TestUnknownProfile(t *testing.T) {
	if _, err := Run(t.Context(), Options{Profile: "nonsense", Plan: probe.Plan{}}); err == nil {
		t.Error("an unknown profile was accepted")
	}
}

func TestMicrophoneStaysClosed(t *testing.T) {
	for name, o := range map[string]Options{
		"no audio": {NoAudio: true},
		"schedule": {Trigger: report.TriggerSchedule},
	} {
		t.Run(name, func(t *testing.T) {
			o.Only = []string{report.ProbeAudioInput}
			r, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Probes[0]; got.Status != report.StatusSkipped || got.Error == "" || got.Data != nil {
				t.Errorf("got %+v; want Status %v, Error set, no Data", got, report.StatusSkipped)
			}
		})
	}
}

func TestNothingIsOKWithoutAddresses(t *testing.T) {
	r, err := Run(t.Context(), Options{NoAudio: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Probes) != 10 || r.Verdict != report.Unknown {
		t.Errorf("got %d probes, verdict %s; want 10, %s", len(r.Probes), r.Verdict, report.Unknown)
	}
	for _, p := range r.Probes {
		if p.Name == report.ProbeNetworkLink || p.Name == report.ProbeHostCrash || p.Name == report.ProbeHostLoad {
			continue // they measure this computer, without any address
		}
		if p.Status != report.StatusUnknown && p.Status != report.StatusSkipped || p.Error == "" {
			t.Errorf("%s: got status %s, error %q; want %s or %s with an error", p.Name, p.Status, p.Error, report.StatusUnknown, report.StatusSkipped)
		}
	}
}

// TestBindingLifetimeIsOptional checks that the search, which takes minutes, runs
// only on request.
func TestBindingLifetimeIsOptional(t *testing.T) {
	budget := func(o Options) time.Duration {
		plan, err := o.withDefaults().plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.Index(names(plan), report.ProbeNATBehavior)
		return plan[i].Budget
	}
	if got := budget(Options{}); got != behaviorBudget {
		t.Errorf("got %v by default, want %v", got, behaviorBudget)
	}
	if got := budget(Options{BindingLifetime: time.Minute}); got < behaviorBudget+2*time.Minute {
		t.Errorf("got %v for two rounds of a minute, want at least %v", got, behaviorBudget+2*time.Minute)
	}
	for _, d := range []time.Duration{-1, MinBindingLifetime - 1, MaxBindingLifetime + 1} {
		err := Options{BindingLifetime: d}.Validate()
		var refused *LifetimeError
		if !errors.As(err, &refused) || refused.Asked != d {
			t.Errorf("%v: got error %v, want a *LifetimeError", d, err)
		}
	}
}

// TestBudgetsFit checks that a check takes at most 12 s whatever hangs, and 15 s if
// the microphone waits for speech.
func TestBudgetsFit(t *testing.T) {
	plan, err := Options{Collector: &Collector{URL: "https://127.0.0.1:1"}}.plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan {
		most := 12 * time.Second
		if s.Probe.Name() == report.ProbeAudioInput {
			most = 15 * time.Second
		}
		if s.Budget+probe.Grace > most {
			t.Errorf("%s may take %v, want at most %v", s.Probe.Name(), s.Budget+probe.Grace, most)
		}
	}
}

func TestICEIsRequestedOnceForTheWholeCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		want := wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"stun:127.0.0.1:3478"}}}}
		fetch := iceFunc(func(ctx context.Context) (wire.ICEConfig, error) {
			calls.Add(1)
			if err := (probe.SystemClock{}).Sleep(ctx, time.Second); err != nil {
				return wire.ICEConfig{}, err
			}
			return want, nil
		}).once(t.Context())

		hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := fetch(hasty); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller with a short deadline got error %v, want %v", err, context.DeadlineExceeded)
		}
		got, err := fetch(t.Context())
		if err != nil || len(got.ICEServers) != 1 || calls.Load() != 1 {
			t.Errorf("got %v, error %v after %d calls; want one server after 1 call", got, err, calls.Load())
		}
	})
}

func names(p probe.Plan) []string {
	var all []string
	for _, s := range p {
		all = append(all, s.Probe.Name())
	}
	return all
}

func TestSpeakerOnlyOnRequest(t *testing.T) {
	for _, speaker := range []bool{false, true} {
		plan, err := Options{Speaker: speaker}.withDefaults().plan(t.Context())
		if err != nil || slices.Contains(names(plan), report.ProbeAudioOutput) != speaker {
			t.Errorf("speaker %v: got %v, error %v; want %s if and only if the speaker is wanted", speaker, names(plan), err, report.ProbeAudioOutput)
		}
	}
	r, err := Run(t.Context(), Options{Speaker: true, NoAudio: true, Only: []string{report.ProbeAudioOutput}})
	if err != nil || len(r.Probes) != 1 || r.Probes[0].Status != report.StatusSkipped {
		t.Errorf("without audio: got %+v, error %v; want one skipped probe", r, err)
	}
}

// TestSpeakerFollowsMicrophone checks that audio.output waits for the end of
// audio.input, and does not wait if audio.input is not part of the check.
func TestSpeakerFollowsMicrophone(t *testing.T) {
	plan, err := Options{Speaker: true}.plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, alone := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			var waited time.Duration
			start := time.Now()
			var fakes probe.Plan
			for _, s := range plan {
				switch s.Probe.Name() {
				case report.ProbeAudioInput:
					s.Probe = after(report.ProbeAudioInput, 6*time.Second).Probe
				case report.ProbeAudioOutput:
					s.Probe = fake{report.ProbeAudioOutput, func(context.Context, probe.Env) (probe.Result, error) {
						waited = time.Since(start)
						return probe.Result{Status: report.StatusOK}, nil
					}}
				default:
					continue
				}
				fakes = append(fakes, s)
			}
			o := Options{Plan: fakes}
			want := 6 * time.Second
			if alone {
				o.Only, want = []string{report.ProbeAudioOutput}, 0
			}
			if _, err := Run(t.Context(), o); err != nil || waited != want {
				t.Errorf("alone %v: got a wait of %v, error %v; want %v, nil", alone, waited, err, want)
			}
		})
	}
}
