package probe

import (
	"context"
	"sync"
)

// Enter blocks until a phase of the running step may begin (see [Turn]) and returns its
// pass, which is never nil. The error is that of ctx. Outside of a plan, Enter does not
// wait. A phase that the step does not declare is an error, and the plan discards the
// probe's result: nothing is known about what it sends. A phase may be entered several
// times, also concurrently; each pass has its own share of the line budget.
func (e Env) Enter(ctx context.Context, phase string) (*Pass, error) {
	if e.schedule == nil {
		return &Pass{}, nil
	}
	return e.enter(ctx, phase, nil)
}

// Pass represents a probe in a phase. It ends with Leave or Next, at the latest with
// the step.
type Pass struct {
	env   Env
	phase string
	share *share
	leave sync.Once
}

// Leave ends the phase. Only the first call has an effect.
func (p *Pass) Leave() {
	if p.env.schedule == nil {
		return
	}
	p.leave.Do(func() {
		p.env.schedule.release(p.share)
		p.env.schedule.mark(p.env.step, p.phase)
	})
}

// Renew begins the turn of the phase anew if its bursts are no longer counted (see
// [Rate]), and waits until it fits into the line budget again. A probe calls it at the
// moment when it can send and has not sent its burst, for example after a connection was
// established. After several attempts or a slow name lookup that is too late for the
// first turn, and other probes may use the line by then. The error is that of Enter.
func (p *Pass) Renew(ctx context.Context) error {
	if p.env.schedule == nil || p.share == nil {
		return nil
	}
	p.env.schedule.renew(p.share)
	return p.env.schedule.await(ctx, p.share)
}

// Next ends the phase and enters the following one, as Enter does. Steps that wait for
// the end of the first phase continue at once, but its share of the line budget is held
// until the next phase begins, so that no other turn can take it.
func (p *Pass) Next(ctx context.Context, phase string) (*Pass, error) {
	if p.env.schedule == nil {
		return &Pass{}, nil
	}
	return p.env.enter(ctx, phase, p)
}

func (e Env) enter(ctx context.Context, phase string, from *Pass) (*Pass, error) {
	turn, declared := e.schedule.plan[e.step].turnOf(phase)
	if !declared {
		if from != nil {
			from.Leave()
		}
		return &Pass{}, e.schedule.refuse(e.step, phase)
	}
	var before *share
	if from != nil {
		before = from.share
	}
	p := &Pass{env: e, phase: phase, share: e.schedule.ask(e.step, turn, before)}
	if from != nil {
		from.leave.Do(func() { e.schedule.mark(e.step, from.phase) })
	}
	return p, e.schedule.await(ctx, p.share)
}
