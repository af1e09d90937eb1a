package probe

import (
	"context"
	"sync"
)

// Enter blocks until a phase of the running step may begin (see [Turn]) and
// returns the pass to it; the error is that of ctx. A probe that runs outside of
// a plan does not wait, and neither does a phase that its step does not declare.
// The pass is never nil. A phase may be entered several times, also side by side:
// each pass is a share of the line of its own.
func (e Env) Enter(ctx context.Context, phase string) (*Pass, error) {
	if e.schedule == nil {
		return &Pass{}, nil
	}
	return e.enter(ctx, phase, nil)
}

// Pass is the stay of a probe in a phase. It ends with Leave or Next, at the
// latest with the step.
type Pass struct {
	env   Env
	phase string
	share *share
	leave sync.Once
}

// Leave ends the stay. Only the first call counts.
func (p *Pass) Leave() {
	if p.env.schedule == nil {
		return
	}
	p.leave.Do(func() {
		p.env.schedule.release(p.share)
		p.env.schedule.mark(p.env.step, p.phase)
	})
}

// Next ends the stay and enters the phase that follows, as Enter does. Those who
// wait for the end of the first go on at once, but what it took of the line is
// kept until the next one begins: nobody comes in between.
func (p *Pass) Next(ctx context.Context, phase string) (*Pass, error) {
	if p.env.schedule == nil {
		return &Pass{}, nil
	}
	return p.env.enter(ctx, phase, p)
}

func (e Env) enter(ctx context.Context, phase string, from *Pass) (*Pass, error) {
	var before *share
	if from != nil {
		before = from.share
	}
	p := &Pass{env: e, phase: phase, share: e.schedule.ask(e.step, e.schedule.plan[e.step].turnOf(phase), before)}
	if from != nil {
		from.leave.Do(func() { e.schedule.mark(e.step, from.phase) })
	}
	return p, e.schedule.await(ctx, p.share)
}
