package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// schedule decides when the turns of one run of a plan begin.
type schedule struct {
	clock Clock
	start time.Time
	plan  Plan

	mu sync.Mutex
	// changed is closed and replaced when a wait may end earlier than the waiting
	// goroutines have computed.
	changed chan struct{}
	first   []*share // by step: its first turn
	waiting []*share // in the order in which they are served
	running []*share // what uses the line, or did in the last second
	ended   map[Mark]bool
	left    []bool // by step: whether it has ended
	// undeclared is, by step, the error for a phase that it entered without declaring it.
	undeclared []error
}

// share is the part of the line budget that one turn uses, from the request on.
type share struct {
	step    int
	turn    Turn
	begins  bool // it starts a step, not a phase
	granted bool
	since   time.Duration // when it was granted, from the start of the plan
	over    bool
	until   time.Duration // when it ended
	// before is the share that this one follows. It is held until this one is granted,
	// and makes room for it.
	before *share
}

// busiest returns the maximum that the share sends in any one-second window that
// includes now, bursts apart from the rest. The steady rate is the larger one of this
// share and the share before it: the rate of a window that contains parts of both lies
// between the two.
func (w *share) busiest(now time.Duration) (bursts, steady Rate) {
	length := time.Duration(math.MaxInt64)
	if w.over {
		length = w.until - w.since
	}
	bursts, steady = w.turn.busiest(now-w.since, length)
	if w.before != nil {
		b, s := w.before.busiest(now)
		bursts = bursts.plus(b, 1)
		steady = steady.most(s)
	}
	return bursts, steady
}

func (w *share) end(now time.Duration) {
	if w != nil && w.granted && !w.over {
		w.over, w.until = true, now
	}
}

func newSchedule(clock Clock, plan Plan) *schedule {
	s := &schedule{
		clock: clock, start: clock.Now(), plan: plan, changed: make(chan struct{}),
		ended: map[Mark]bool{}, left: make([]bool, len(plan)), undeclared: make([]error, len(plan)),
	}
	for i, step := range plan {
		s.first = append(s.first, &share{step: i, turn: step.Turn, begins: true})
	}
	s.waiting = slices.Clone(s.first)
	s.admit() // nothing runs yet, so no lock is needed
	return s
}

func (s *schedule) elapsed() time.Duration { return s.clock.Now().Sub(s.start) }

// ask adds a share to the waiting ones and returns it.
func (s *schedule) ask(step int, t Turn, before *share) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &share{step: step, turn: t, before: before}
	if s.left[step] {
		return w // never granted
	}
	s.enqueue(w)
	return w
}

// enqueue adds w to the waiting shares. The caller holds mu.
func (s *schedule) enqueue(w *share) {
	at, _ := slices.BinarySearchFunc(s.waiting, w.step, func(o *share, step int) int { return cmp.Or(cmp.Compare(o.step, step), -1) })
	s.waiting = slices.Insert(s.waiting, at, w)
}

// renew makes w wait again if the time for its bursts is over. Until then it sends
// nothing and holds nothing.
func (s *schedule) renew(w *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !w.granted || w.over || s.elapsed()-w.since < w.turn.burstsEnd() {
		return
	}
	w.granted = false
	s.remove(&s.running, w)
	s.enqueue(w)
	s.admit()
	s.broadcast()
}

// refuse records that a step entered a phase that it does not declare.
func (s *schedule) refuse(step int, phase string) error {
	err := fmt.Errorf("internal error: it entered the phase %s, which its step does not declare", phase)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undeclared[step] = err
	return err
}

// refused returns the error of refuse; nil if the step entered no such phase.
func (s *schedule) refused(step int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.undeclared[step]
}

// errStepOver is the error for a probe that continues after the end of its step.
var errStepOver = errors.New("the probe's time is over")

// await blocks until the turn of w is granted or ctx is done.
func (s *schedule) await(ctx context.Context, w *share) error {
	for {
		s.mu.Lock()
		s.admit()
		granted, over, changed := w.granted, s.left[w.step], s.changed
		next := s.nextChange(w)
		s.mu.Unlock()
		switch {
		case granted:
			return nil
		case over:
			return errStepOver
		case ctx.Err() != nil:
			s.release(w)
			return ctx.Err()
		case next > 0:
			SleepUntil(ctx, s.clock, changed, next)
		default:
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}

// admit grants every turn that is due and fits. The caller holds mu.
func (s *schedule) admit() {
	now := s.elapsed()
	s.running = slices.DeleteFunc(s.running, func(w *share) bool { return w.over && now-w.until >= window })
	for i := 0; i < len(s.waiting); i++ {
		w := s.waiting[i]
		if !s.isDue(w, now) || !s.fits(w, now) {
			continue
		}
		s.remove(&s.running, w.before)
		w.before.end(now)
		w.granted, w.since = true, now
		s.waiting = slices.Delete(s.waiting, i, i+1)
		i--
		s.running = append(s.running, w)
		s.broadcast()
	}
}

func (s *schedule) broadcast() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// isDue reports whether w waits for nothing but the line budget.
func (s *schedule) isDue(w *share, now time.Duration) bool {
	if w.begins && s.plan[w.step].Exclusive && !s.isAlone(w.step) {
		return false
	}
	if len(s.plan) > 1 && now < w.turn.NotBefore {
		return false
	}
	return w.turn.NotLater > 0 && now >= w.turn.NotLater || s.haveEnded(w.turn.After)
}

// isAlone reports whether all steps have ended that an exclusive step waits for: the
// ordinary ones, and the exclusive ones before it in the plan.
func (s *schedule) isAlone(step int) bool {
	for i, other := range s.plan {
		if i != step && !s.left[i] && (!other.Exclusive || i < step) {
			return false
		}
	}
	return true
}

func (s *schedule) haveEnded(marks []Mark) bool {
	for _, m := range marks {
		i := slices.IndexFunc(s.plan, func(o Step) bool { return o.Probe.Name() == m.Step })
		if i >= 0 && !s.left[i] && !s.ended[m] {
			return false
		}
	}
	return true
}

// fits reports whether w stays within the line budget together with everything that
// runs or ran within the last second. If it does now, it does later, because the rate of
// a share never increases.
func (s *schedule) fits(w *share, now time.Duration) bool {
	if s.plan[w.step].Exclusive {
		return true
	}
	w.since = now // as if granted now
	var sum Rate
	for _, o := range append(slices.Clone(s.running), w) {
		if o != w.before {
			bursts, steady := o.busiest(now)
			sum = sum.plus(bursts, 1).plus(steady, 1)
		}
	}
	const rounding = 1e-6
	return sum.UpKbps <= LineBudgetKbps+rounding && sum.DownKbps <= LineBudgetKbps+rounding
}

// roomEvery is how often a turn that waits for the line budget tries again: past
// traffic leaves the one-second window gradually.
const roomEvery = 50 * time.Millisecond

// nextChange returns the time until w may become due or fit; 0 if only another turn can
// change that. The caller holds mu.
func (s *schedule) nextChange(w *share) (next time.Duration) {
	now := s.elapsed()
	consider := func(in time.Duration) {
		if in > 0 && (next == 0 || in < next) {
			next = in
		}
	}
	consider(w.turn.NotBefore - now)
	consider(w.turn.NotLater - now)
	if s.isDue(w, now) {
		return roomEvery
	}
	return next
}

// release ends a share, or removes it from the waiting ones.
func (s *schedule) release(w *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(&s.waiting, w)
	now := s.elapsed()
	w.end(now)
	w.before.end(now)
	s.admit()
	s.broadcast()
}

func (s *schedule) remove(from *[]*share, w *share) {
	*from = slices.DeleteFunc(*from, func(o *share) bool { return o == w })
}

// mark records the end of a phase.
func (s *schedule) mark(step int, phase string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended[Mark{s.plan[step].Probe.Name(), phase}] = true
	s.admit()
	s.broadcast()
}

// end records the end of a step and removes all its shares.
func (s *schedule) end(step int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[step] = true
	s.waiting = slices.DeleteFunc(s.waiting, func(o *share) bool { return o.step == step })
	now := s.elapsed()
	for _, w := range s.running {
		if w.step == step {
			w.end(now)
		}
	}
	s.admit()
	s.broadcast()
}

// SleepUntil blocks until done is closed, d has passed or ctx is done.
func SleepUntil(ctx context.Context, clock Clock, done <-chan struct{}, d time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = clock.Sleep(ctx, d)
}
