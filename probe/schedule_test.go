package probe_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

// startTimes records the start of probes and phases, in seconds from the start of the plan.
type startTimes struct {
	start time.Time
	mu    sync.Mutex
	at    map[string]float64
}

func (d *startTimes) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[what] = time.Since(d.start).Seconds()
}

// recorded returns a probe that records its start in d and ends after lasts.
func (d *startTimes) recorded(name string, lasts time.Duration) probe.Probe {
	return scripted{name, func(ctx context.Context, env probe.Env) (probe.Result, error) {
		d.note(name)
		_ = env.Clock.Sleep(ctx, lasts)
		return probe.Result{Status: report.StatusOK}, nil
	}}
}

// quiet is a turn that sends nothing.
func quiet() probe.Turn { return probe.Turn{Sends: probe.Nothing()} }

// runPlan runs a plan in fake time and returns the starts.
func runPlan(t *testing.T, plan func(d *startTimes) probe.Plan) map[string]float64 {
	t.Helper()
	d := &startTimes{at: map[string]float64{}}
	synctest.Test(t, func(t *testing.T) {
		d.start = time.Now()
		p := plan(d)
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		p.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
	})
	return d.at
}

func sends(kbps float64, d time.Duration) []probe.Rate {
	return []probe.Rate{{UpKbps: kbps, DownKbps: kbps, For: d}}
}

func TestTurns(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		plan func(d *startTimes) probe.Plan
		want map[string]float64
	}{
		"side by side": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{{Probe: d.recorded("a", s), Budget: 9 * s, Turn: quiet()}, {Probe: d.recorded("b", s), Budget: 9 * s, Turn: quiet()}}
			}, map[string]float64{"a": 0, "b": 0},
		},
		"not before": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{{Probe: d.recorded("a", s), Budget: 9 * s, Turn: quiet()}, {Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{NotBefore: 2 * s, Sends: probe.Nothing()}}}
			}, map[string]float64{"a": 0, "b": 2},
		},
		"alone, not before does not count": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{{Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{NotBefore: 2 * s, Sends: probe.Nothing()}}}
			}, map[string]float64{"b": 0},
		},
		"after another": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{{Probe: d.recorded("a", 3*s), Budget: 9 * s, Turn: quiet()}, {Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{After: []probe.Mark{{Step: "a"}}, Sends: probe.Nothing()}}}
			}, map[string]float64{"a": 0, "b": 3},
		},
		"after another, but not later": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{{Probe: d.recorded("a", 7*s), Budget: 9 * s, Turn: quiet()}, {Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{After: []probe.Mark{{Step: "a"}}, NotLater: 4 * s, Sends: probe.Nothing()}}}
			}, map[string]float64{"a": 0, "b": 4},
		},
		"after a step that is not in the plan": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{{Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{After: []probe.Mark{{Step: "gone"}}, Sends: probe.Nothing()}}, {Probe: d.recorded("c", s), Budget: s, Turn: quiet()}}
			}, map[string]float64{"b": 0, "c": 0},
		},
		"limited by the line, in order": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{
					{Probe: d.recorded("a", 3*s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(100, 0)}},
					{Probe: d.recorded("b", 2*s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(60, 0)}},
					{Probe: d.recorded("c", s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(50, 0)}},
				}
			}, map[string]float64{"a": 0, "b": 3.1, "c": 0}, // the second before 3.1 still contains 90 kbit of a
		},
		"a decreasing rate permits another": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{
					{Probe: d.recorded("a", 9*s), Budget: 9 * s, Turn: probe.Turn{Sends: []probe.Rate{{UpKbps: 150, For: 2 * s}, {UpKbps: 50}}}},
					{Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(100, 0)}},
				}
			}, map[string]float64{"a": 0, "b": 3},
		},
		"a burst that does not end counts for two seconds": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{
					{Probe: d.recorded("a", 5*s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(100, s)}},
					{Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(100, s)}},
				}
			}, map[string]float64{"a": 0, "b": 2},
		},
		"a burst counts until one second after the end of its step": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{
					{Probe: d.recorded("a", s/10), Budget: 9 * s, Turn: probe.Turn{Sends: sends(100, s)}},
					{Probe: d.recorded("b", s), Budget: 9 * s, Turn: probe.Turn{Sends: sends(100, s)}},
				}
			}, map[string]float64{"a": 0, "b": 1.1},
		},
		"exclusive, after all others, one at a time": {
			func(d *startTimes) probe.Plan {
				return probe.Plan{
					{Probe: d.recorded("x", s), Budget: 2 * s, Exclusive: true, Turn: probe.Turn{Sends: sends(9000, 0)}},
					{Probe: d.recorded("y", s), Budget: 2 * s, Exclusive: true},
					{Probe: d.recorded("a", 5*s), Budget: 9 * s, Turn: quiet()},
				}
			}, map[string]float64{"a": 0, "x": 5, "y": 6},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := runPlan(t, c.plan)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestPhases: a phase waits for the line budget and for the end of another phase; Next
// keeps the share of the previous phase.
func TestPhases(t *testing.T) {
	const s = time.Second
	at := runPlan(t, func(d *startTimes) probe.Plan {
		voice := scripted{"voice", func(ctx context.Context, env probe.Env) (probe.Result, error) {
			connecting, err := env.Enter(ctx, "connect")
			if err != nil {
				return probe.Result{}, err
			}
			d.note("connect")
			_ = env.Clock.Sleep(ctx, 2*s)
			stream, err := connecting.Next(ctx, "stream")
			if err != nil {
				return probe.Result{}, err
			}
			d.note("stream")
			_ = env.Clock.Sleep(ctx, 3*s)
			stream.Leave()
			stream.Leave() // the second call has no effect
			return probe.Result{Status: report.StatusOK}, nil
		}}
		return probe.Plan{
			{Probe: voice, Budget: 9 * s, Turn: quiet(), Phases: []probe.Phase{
				{Name: "connect", Turn: probe.Turn{Sends: sends(80, 0)}},
				{Name: "stream", Turn: probe.Turn{Sends: sends(80, 0)}},
			}},
			{Probe: d.recorded("web", s), Budget: 9 * s, Turn: probe.Turn{After: []probe.Mark{{Step: "voice", Phase: "connect"}}, NotLater: 8 * s, Sends: sends(100, 0)}},
			{Probe: d.recorded("small", s), Budget: 9 * s, Turn: probe.Turn{After: []probe.Mark{{Step: "voice", Phase: "connect"}}, NotLater: 8 * s, Sends: sends(50, 0)}},
		}
	})
	want := map[string]float64{"connect": 0, "stream": 2, "small": 2, "web": 5.4}
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", at, want)
	}
}

// TestUndeclaredPhase: a probe that enters a phase which its step does not declare has
// no result, even if it ignores the error.
func TestUndeclaredPhase(t *testing.T) {
	for name, enter := range map[string]func(context.Context, probe.Env) error{
		"at once": func(ctx context.Context, env probe.Env) error {
			_, err := env.Enter(ctx, "secret")
			return err
		},
		"after another": func(ctx context.Context, env probe.Env) error {
			connecting, err := env.Enter(ctx, "connect")
			if err != nil {
				return nil
			}
			_, err = connecting.Next(ctx, "secret")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				greedy := scripted{"greedy", func(ctx context.Context, env probe.Env) (probe.Result, error) {
					if err := enter(ctx, env); err == nil || !strings.Contains(err.Error(), "secret") {
						t.Errorf("got error %v, want one with the phase", err)
					}
					return probe.Result{Status: report.StatusOK}, nil
				}}
				out := probe.Plan{
					{Probe: greedy, Budget: time.Second, Turn: probe.Turn{Sends: probe.Nothing()}, Phases: []probe.Phase{{Name: "connect", Turn: probe.Turn{Sends: sends(150, 0)}}}},
					{Probe: after("waits", time.Second, report.StatusOK), Budget: 5 * time.Second, Turn: probe.Turn{Sends: sends(150, 0), After: []probe.Mark{{Step: "greedy", Phase: "connect"}}}},
				}.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
				if r := out.Results[0]; r.Status != report.StatusUnknown || !strings.Contains(r.Error, "secret") {
					t.Errorf("got %+v, want status %s and the phase", r, report.StatusUnknown)
				}
				if out.Results[1].Status != report.StatusOK {
					t.Errorf("the other probe was affected: %+v", out.Results[1])
				}
			})
		})
	}
}

// phased is a probe with phases.
type phased struct{ probe.Probe }

func (phased) Phases() []string { return []string{"connect", "stream"} }

// TestPlansDoNotExceedTheLine runs plans of many steps with random rates and sums the
// traffic of every second, wherever it begins.
func TestPlansDoNotExceedTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grain = 10 * time.Millisecond
		var mu sync.Mutex
		start := time.Now()
		kbit := make([]float64, 100*time.Second/grain)
		var plan probe.Plan
		for i := range 40 {
			kbps, lasts := float64(10+i*37%130), time.Duration(100+i*53%900)*time.Millisecond
			rates := sends(kbps, 0)
			if i%3 == 0 {
				rates = sends(kbps, time.Second)
			}
			plan = append(plan, probe.Step{Budget: 2 * time.Minute, Turn: probe.Turn{NotBefore: time.Duration(i%5) * 300 * time.Millisecond, Sends: rates}, Probe: scripted{fmt.Sprint("p", i), func(ctx context.Context, env probe.Env) (probe.Result, error) {
				from := time.Since(start) / grain
				_ = env.Clock.Sleep(ctx, lasts)
				mu.Lock()
				defer mu.Unlock()
				if rates[0].For > 0 {
					kbit[from] += kbps // all at once
				} else {
					for at := from; at < time.Since(start)/grain; at++ {
						kbit[at] += kbps * grain.Seconds()
					}
				}
				return probe.Result{Status: report.StatusOK}, nil
			}}})
		}
		for _, r := range plan.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}}).Results {
			if r.Status != report.StatusOK {
				t.Errorf("%s: got %s %s; want %s", r.Name, r.Status, r.Error, report.StatusOK)
			}
		}
		most := 0.0
		for from := range kbit[:len(kbit)-int(time.Second/grain)] {
			sum := 0.0
			for _, k := range kbit[from : from+int(time.Second/grain)] {
				sum += k
			}
			most = max(most, sum)
		}
		if most > probe.LineBudgetKbps+1e-6 || most < 0.8*probe.LineBudgetKbps {
			t.Errorf("got at most %g kbit in a second, want at most %d, and at least 80 %% of it", most, probe.LineBudgetKbps)
		}
	})
}

// TestRenewedBursts: connections that are established together when the line returns send
// one after the other. Those that are established at once do not wait again.
func TestRenewedBursts(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		established time.Duration // from the start of the plan
		want        []float64     // when they send; the third one has no turn before 2 s
	}{
		"at once":           {0, []float64{0, 0, 2}},
		"within the turn":   {9 * s / 10, []float64{0.9, 0.9, 2}},
		"after one attempt": {11 * s / 10, []float64{1.1, 1.1, 3.1}},
		"after a failure of the line, when the third one has the turn of another": {25 * s / 10, []float64{2.5, 2.5, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			at := runPlan(t, func(d *startTimes) probe.Plan {
				connects := func(name string) probe.Step {
					return probe.Step{Probe: scripted{name, func(ctx context.Context, env probe.Env) (probe.Result, error) {
						pass, err := env.Enter(ctx, "connect")
						if err != nil {
							return probe.Result{}, err
						}
						_ = env.Clock.Sleep(ctx, c.established-time.Since(d.start))
						if err := pass.Renew(ctx); err != nil {
							return probe.Result{}, err
						}
						d.note(name)
						_ = env.Clock.Sleep(ctx, 5*s)
						return probe.Result{Status: report.StatusOK}, nil
					}}, Budget: 9 * s, Turn: quiet(), Phases: []probe.Phase{{Name: "connect", Turn: probe.Turn{Sends: sends(70, s)}}}}
				}
				return probe.Plan{connects("a"), connects("b"), connects("c")}
			})
			if got := slices.Sorted(maps.Values(at)); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestRenewAfterTheEnd: a probe that waits for its turn again stops with its step.
func TestRenewAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := scripted{"late", func(ctx context.Context, env probe.Env) (probe.Result, error) {
			pass, err := env.Enter(ctx, "connect")
			if err != nil {
				return probe.Result{}, err
			}
			defer pass.Leave()
			_ = env.Clock.Sleep(ctx, 3*time.Second)
			if err := pass.Renew(ctx); err == nil {
				t.Error("the burst was admitted beside a probe that fills the line")
			}
			return probe.Result{Status: report.StatusUnknown}, nil
		}}
		out := probe.Plan{
			{Probe: late, Budget: 5 * time.Second, Turn: quiet(), Phases: []probe.Phase{{Name: "connect", Turn: probe.Turn{Sends: sends(70, time.Second)}}}},
			{Probe: after("fills", 9*time.Second, report.StatusOK), Budget: 20 * time.Second, Turn: probe.Turn{NotBefore: 2 * time.Second, Sends: sends(150, 0)}},
		}.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if out.Duration != 11*time.Second {
			t.Errorf("the plan took %v, want 11s", out.Duration)
		}
	})
}

// TestStepThatNeverStarts: a step that never starts has a result within its budget.
func TestStepThatNeverStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &startTimes{start: time.Now(), at: map[string]float64{}}
		out := probe.Plan{
			{Probe: d.recorded("a", 8*time.Second), Budget: 9 * time.Second, Turn: probe.Turn{Sends: sends(150, 0)}},
			{Probe: d.recorded("b", time.Second), Budget: 3 * time.Second, Turn: probe.Turn{Sends: sends(10, 0)}},
		}.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}})
		if _, ran := d.at["b"]; ran || out.Results[1].Status != report.StatusUnknown || out.Duration != 8*time.Second {
			t.Errorf("got starts %v, result %+v, duration %v, want no start of b, unknown, 8s", d.at, out.Results[1], out.Duration)
		}
	})
}

func TestPlansThatAreRefused(t *testing.T) {
	const s = time.Second
	p := func(name string) probe.Probe { return after(name, s, report.StatusOK) }
	for want, plan := range map[string]probe.Plan{
		"two steps have the name a":        {{Probe: p("a"), Budget: s, Turn: quiet()}, {Probe: p("a"), Budget: s, Turn: quiet()}},
		"a does not state what it sends":   {{Probe: p("a"), Budget: s}},
		"a/x does not state what it sends": {{Probe: p("a"), Budget: s, Turn: quiet(), Phases: []probe.Phase{{Name: "x"}}}},
		"not declare its phase stream":     {{Probe: phased{p("a")}, Budget: s, Turn: quiet(), Phases: []probe.Phase{{Name: "connect", Turn: quiet()}}}},
		"a has no budget":                  {{Probe: p("a"), Turn: quiet()}},
		"more than the line budget":        {{Probe: p("a"), Budget: s, Turn: probe.Turn{Sends: sends(151, 0)}}},
		"or than it sent before":           {{Probe: p("a"), Budget: s, Turn: probe.Turn{Sends: []probe.Rate{{UpKbps: 10, For: s}, {UpKbps: 20}}}}},
		"two phases with the name \"x\"":   {{Probe: p("a"), Budget: s, Turn: quiet(), Phases: []probe.Phase{{Name: "x", Turn: quiet()}, {Name: "x", Turn: quiet()}}}},
		"which has none of that name":      {{Probe: p("a"), Budget: s, Turn: quiet()}, {Probe: p("b"), Budget: s, Turn: probe.Turn{After: []probe.Mark{{Step: "a", Phase: "x"}}, NotLater: s}}},
		"which does not precede it":        {{Probe: p("a"), Budget: s, Turn: probe.Turn{After: []probe.Mark{{Step: "b"}}}}, {Probe: p("b"), Budget: s, Turn: quiet()}},
		"begins not before 2s and not lat": {{Probe: p("a"), Budget: s, Turn: probe.Turn{NotBefore: 2 * s, NotLater: s}}},
	} {
		if err := plan.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

// TestPlansThatAreNotRefused: a step may state that it sends nothing, and a step that
// runs alone need not state what it sends.
func TestPlansThatAreNotRefused(t *testing.T) {
	p := after("a", time.Second, report.StatusOK)
	for name, step := range map[string]probe.Step{
		"sends nothing": {Probe: p, Budget: time.Second, Turn: quiet()},
		"exclusive":     {Probe: p, Budget: time.Second, Exclusive: true, Phases: []probe.Phase{{Name: "x"}}},
		"its phases":    {Probe: phased{p}, Budget: time.Second, Turn: quiet(), Phases: []probe.Phase{{Name: "connect", Turn: quiet()}, {Name: "stream", Turn: quiet()}}},
	} {
		if err := (probe.Plan{step}).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
