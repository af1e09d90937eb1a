package probe_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// scripted is a probe whose Run is a function.
type scripted struct {
	name string
	run  func(ctx context.Context, env probe.Env) (probe.Result, error)
}

func (s scripted) Name() string { return s.name }
func (s scripted) Version() int { return 3 }
func (s scripted) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	return s.run(ctx, env)
}

// after returns a probe that returns a status after d, or at once when cancelled.
func after(name string, d time.Duration, status report.Status) probe.Probe {
	return scripted{name, func(ctx context.Context, env probe.Env) (probe.Result, error) {
		if err := env.Clock.Sleep(ctx, d); err != nil {
			return probe.Result{Status: report.StatusUnknown, Note: "stopped"}, nil
		}
		return probe.Result{Status: status, Data: &report.NAT{UDP: report.ReachOpen}}, nil
	}}
}

// hang returns a probe that ignores its context until release is closed, then tries to
// report.
func hang(release <-chan struct{}) probe.Probe {
	return scripted{"hang", func(_ context.Context, env probe.Env) (probe.Result, error) {
		<-release
		env.Progress(probe.Event{Kind: probe.EventProgress, Fraction: 1})
		return probe.Result{Status: report.StatusOK}, nil
	}}
}

// recorder records the events of a plan.
type recorder struct {
	mu     sync.Mutex
	events []probe.Event
}

func (r *recorder) add(e probe.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) count(name string, kind probe.EventKind) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Probe == name && e.Kind == kind {
			n++
		}
	}
	return n
}

func TestPlanRunsConcurrentlyAndKeepsItsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := probe.Plan{
			{Probe: after("slow", 3*time.Second, report.StatusOK), Budget: 10 * time.Second},
			{Probe: after("blind", time.Second, report.StatusUnknown), Budget: 10 * time.Second},
			{Probe: after("fast", 2*time.Second, report.StatusFail), Budget: 10 * time.Second},
		}
		var rec recorder
		out := plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}, Progress: rec.add})
		if out.Duration != 3*time.Second {
			t.Errorf("took %s, want 3 s, as the longest probe", out.Duration)
		}
		if out.FirstVerdict != 2*time.Second {
			t.Errorf("first verdict after %s, want 2 s, because unknown does not count", out.FirstVerdict)
		}
		for i, want := range []struct {
			name   string
			status report.Status
			ms     int64
		}{{"slow", report.StatusOK, 3000}, {"blind", report.StatusUnknown, 1000}, {"fast", report.StatusFail, 2000}} {
			r := out.Results[i]
			if r.Name != want.name || r.Status != want.status || r.DurationMS != want.ms || r.Version != 3 ||
				r.StartedAt.Location() != time.UTC || r.Data == nil {
				t.Errorf("result %d: got %+v, want %+v", i, r, want)
			}
			if rec.count(want.name, probe.EventStarted) != 1 || rec.count(want.name, probe.EventDone) != 1 {
				t.Errorf("%s: got events %+v, want one start and one end", want.name, rec.events)
			}
		}
	})
}

func TestPlanWithoutAFindingHasNoFirstVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := probe.Plan{
			{Probe: after("a", time.Second, report.StatusUnknown), Budget: time.Minute},
			{Probe: after("b", time.Second, report.StatusSkipped), Budget: time.Minute},
		}
		if out := plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}}); out.FirstVerdict != 0 {
			t.Errorf("first verdict after %s, want none", out.FirstVerdict)
		}
		if out := (probe.Plan{}).Run(t.Context(), probe.Env{Clock: probe.SystemClock{}}); len(out.Results) != 0 {
			t.Errorf("an empty plan returned %+v", out)
		}
	})
}

func TestPlanAbandonsAHangingProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var rec recorder
		plan := probe.Plan{
			{Probe: hang(release), Budget: 2 * time.Second},
			{Probe: after("good", time.Second, report.StatusOK), Budget: 5 * time.Second},
		}
		out := plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}, Progress: rec.add})
		if want := 2*time.Second + probe.Grace; out.Duration != want {
			t.Errorf("took %s, want %s", out.Duration, want)
		}
		if r := out.Results[0]; r.Status != report.StatusUnknown || r.Error == "" || r.Data != nil {
			t.Errorf("hanging probe: got %+v; want Status %v, Error set, no Data", r, report.StatusUnknown)
		}
		if out.Results[1].Status != report.StatusOK {
			t.Errorf("the other probe was affected: %+v", out.Results[1])
		}
		close(release)
		synctest.Wait() // the abandoned probe sends its event now
		if n := rec.count("hang", probe.EventProgress); n != 0 {
			t.Errorf("got %d events of an abandoned probe, want 0", n)
		}
		if out.Results[0].Status != report.StatusUnknown {
			t.Error("the late result of an abandoned probe changed the outcome")
		}
	})
}

func TestPlanBudgetStopsAProbeThatListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := probe.Plan{{Probe: after("long", time.Hour, report.StatusOK), Budget: 4 * time.Second}}
		out := plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if out.Duration != 4*time.Second || out.Results[0].Error != "stopped" {
			t.Errorf("took %s, got %+v, want 4s and the note stopped", out.Duration, out.Results[0])
		}
	})
}

func TestCancelledPlanKeepsResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		plan := probe.Plan{
			{Probe: after("done", time.Second, report.StatusWarn), Budget: time.Minute},
			{Probe: after("cut", time.Minute, report.StatusOK), Budget: time.Minute},
		}
		out := plan.Run(ctx, probe.Env{Clock: probe.SystemClock{}})
		if out.Duration != 2*time.Second || out.Results[0].Status != report.StatusWarn || out.Results[1].Error != "stopped" {
			t.Errorf("took %s, got %+v; want %s, [0].Status %v, [1].Error %q", out.Duration, out.Results, 2*time.Second, report.StatusWarn, "stopped")
		}
	})
}

func TestPlanSurvivesPanicsAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := probe.Plan{
			{Probe: scripted{"panic", func(context.Context, probe.Env) (probe.Result, error) {
				panic("secret of /home/anna")
			}}, Budget: time.Second},
			{Probe: scripted{"error", func(context.Context, probe.Env) (probe.Result, error) {
				return probe.Result{Status: report.StatusOK}, errors.New("open /home/anna/x: denied")
			}}, Budget: time.Second},
			{Probe: scripted{"silent", func(context.Context, probe.Env) (probe.Result, error) {
				return probe.Result{}, nil
			}}, Budget: time.Second},
			{Probe: after("good", time.Millisecond, report.StatusOK), Budget: time.Second},
		}
		out := plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		for i, r := range out.Results[:3] {
			if r.Status != report.StatusUnknown || strings.Contains(r.Error, "anna") || i < 2 && r.Error == "" {
				t.Errorf("%s: got %+v, want unknown without the name", r.Name, r)
			}
		}
		if out.Results[3].Status != report.StatusOK {
			t.Errorf("the other probe was affected: %+v", out.Results[3])
		}
	})
}

func TestPlanEventsCarryTheNameOfTheirProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rec recorder
		plan := probe.Plan{{Probe: scripted{"true", func(_ context.Context, env probe.Env) (probe.Result, error) {
			env.Progress(probe.Event{Probe: "forged", Kind: probe.EventProgress})
			return probe.Result{Status: report.StatusOK}, nil
		}}, Budget: time.Second}}
		plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}, Progress: rec.add})
		if rec.count("true", probe.EventProgress) != 1 || rec.count("forged", probe.EventProgress) != 0 {
			t.Errorf("got events %+v, want one of the probe true and none of forged", rec.events)
		}
		if last := rec.events[len(rec.events)-1]; last.Kind != probe.EventDone || last.Result == nil {
			t.Errorf("got last event %+v; want Kind %v, Result set", last, probe.EventDone)
		}
	})
}

func TestPlanOnly(t *testing.T) {
	plan := probe.Plan{{Probe: after("a", 0, "")}, {Probe: after("b", 0, "")}, {Probe: after("c", 0, "")}}
	kept, missing := plan.Only([]string{"c", "x", "a"})
	if len(kept) != 2 || kept[0].Probe.Name() != "c" || kept[1].Probe.Name() != "a" || len(missing) != 1 || missing[0] != "x" {
		t.Errorf("kept %v, missing %v, want c and a, and missing x", kept, missing)
	}
}

func TestSystemClockSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := (probe.SystemClock{}).Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("got error %v after %s; want %v, %s", err, time.Since(start), context.DeadlineExceeded, time.Second)
		}
		if err := (probe.SystemClock{}).Sleep(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
	})
}
