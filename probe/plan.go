package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Grace is how long a probe may continue after its budget is used up and its context is
// done. Then the plan supplies a result for it and abandons it.
const Grace = 500 * time.Millisecond

// Plan contains the probes of one check. They run concurrently, each from its turn on.
// Their order is their priority: of two steps that wait for the line budget, the one
// that comes first in the plan is served first.
type Plan []Step

// Outcome is the result of a plan.
type Outcome struct {
	// Results has one entry per step, in the order of the plan.
	Results []report.Result
	// FirstVerdict is the time from the start until the first probe had a finding (a
	// status other than unknown and skipped); 0 if none had.
	FirstVerdict time.Duration
	Duration     time.Duration
}

// Run starts each step at its turn and returns when all have a result. A probe that
// hangs or panics gets the status unknown; the others are not affected. When ctx is
// cancelled, the probes stop early and keep what they have measured.
func (p Plan) Run(ctx context.Context, env Env) Outcome {
	if env.Progress == nil {
		env.Progress = func(Event) {}
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	start := env.Clock.Now()
	env.schedule = newSchedule(env.Clock, p)
	out := Outcome{Results: make([]report.Result, len(p))}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, s := range p {
		wg.Go(func() {
			r := s.run(ctx, env, i)
			mu.Lock()
			defer mu.Unlock()
			out.Results[i] = r
			if out.FirstVerdict == 0 && isFinding(r.Status) {
				out.FirstVerdict = env.Clock.Now().Sub(start)
			}
			env.Progress(Event{Probe: r.Name, Kind: EventDone, Result: &r})
		})
	}
	wg.Wait()
	out.Duration = env.Clock.Now().Sub(start)
	return out
}

func isFinding(s report.Status) bool {
	return s == report.StatusOK || s == report.StatusWarn || s == report.StatusFail
}

// run waits for the turn of the step and returns its result.
func (s Step) run(ctx context.Context, env Env, at int) report.Result {
	name := s.Probe.Name()
	env.step = at
	env.Log = env.Log.With("probe", name)
	gate := newProgressGate(name, env.Progress)
	env.Progress = gate.pass
	env.Progress(Event{Kind: EventStarted})
	defer gate.close()
	defer env.schedule.end(at)

	began := env.Clock.Now()
	a := answer{result: Result{Status: report.StatusUnknown, Note: "stopped before it began"}}
	var stopped error
	if s.waitsWithoutLimit() {
		stopped = env.schedule.await(ctx, env.schedule.first[at])
		began = env.Clock.Now()
	}
	if stopped == nil {
		a = s.answer(ctx, env, a)
	}

	if err := env.schedule.refused(at); err != nil {
		a = answer{err: err}
	}

	r := report.Result{
		Name: name, Version: s.Probe.Version(),
		StartedAt:  began.UTC(),
		DurationMS: env.Clock.Now().Sub(began).Milliseconds(),
		Status:     a.result.Status, Error: a.result.Note, Data: a.result.Data,
	}
	if a.err != nil {
		env.Log.Warn("probe could not run", "err", a.err)
		r.Status, r.Error = report.StatusUnknown, report.ErrorText(a.err)
	}
	if r.Status == "" {
		r.Status = report.StatusUnknown
	}
	return r
}

// answer waits for the step's turn within its budget, and then for its probe until the
// budget and Grace are over. If the turn does not come, the answer is notBegun.
func (s Step) answer(ctx context.Context, env Env, notBegun answer) answer {
	ctx, cancel := context.WithTimeout(ctx, s.Budget)
	defer cancel()
	if env.schedule.await(ctx, env.schedule.first[env.step]) != nil {
		return notBegun
	}
	done := make(chan answer, 1)
	go func() { done <- guarded(ctx, env, s.Probe) }()
	late, stop := graceAfter(ctx, env.Clock)
	defer stop()
	select {
	case a := <-done:
		return a
	case <-late:
		// The goroutine of the probe continues. Its answer goes into the buffered
		// channel and is never read.
		return answer{err: errors.New("gave no answer within its time")}
	}
}

type answer struct {
	result Result
	err    error
}

// guarded runs the probe and turns a panic into an error, so that one faulty probe
// cannot end the check.
func guarded(ctx context.Context, env Env, p Probe) (a answer) {
	if err := guard.Do(func() { a.result, a.err = p.Run(ctx, env) }); err != nil {
		env.Log.Error("probe panicked", "err", err)
		return answer{err: fmt.Errorf("internal error in %s", p.Name())}
	}
	return a
}

// graceAfter returns a channel that is closed Grace after ctx is done, unless stop is
// called first.
func graceAfter(ctx context.Context, clock Clock) (late <-chan struct{}, stop func()) {
	c := make(chan struct{})
	waiting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unregister := context.AfterFunc(ctx, func() {
		if clock.Sleep(waiting, Grace) == nil {
			close(c)
		}
	})
	return c, func() { unregister(); cancel() }
}

// progressGate adds the probe's name to its events, and drops the events of a probe
// that was abandoned.
type progressGate struct {
	mu   sync.Mutex
	name string
	to   func(Event)
}

func newProgressGate(name string, to func(Event)) *progressGate {
	return &progressGate{name: name, to: to}
}

// pass holds the lock while it passes the event on, so that no event of a probe follows
// close and the plan's EventDone.
func (g *progressGate) pass(e Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.to != nil {
		e.Probe = g.name
		g.to(e)
	}
}

func (g *progressGate) close() {
	g.mu.Lock()
	g.to = nil
	g.mu.Unlock()
}

// Usual returns the steps that run without being requested.
func (p Plan) Usual() Plan {
	return slices.DeleteFunc(slices.Clone(p), func(s Step) bool { return s.OnRequest })
}

// Only returns the steps of the named probes, and the names that have no step.
func (p Plan) Only(names []string) (kept Plan, missing []string) {
	for _, n := range names {
		i := slices.IndexFunc(p, func(s Step) bool { return s.Probe.Name() == n })
		if i < 0 {
			missing = append(missing, n)
			continue
		}
		kept = append(kept, p[i])
	}
	return kept, missing
}
