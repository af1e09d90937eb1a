package resident

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestIntervalIsJitteredAndRunsDoNotOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interval, work = 15 * time.Minute, 12 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		var starts []time.Time
		s := Schedule{Interval: interval, Clock: probe.SystemClock{}, Random: rand.New(rand.NewPCG(1, 2)).Float64}
		s.Run(ctx, func(context.Context, Check) bool {
			starts = append(starts, time.Now())
			time.Sleep(work)
			if len(starts) == 100 {
				cancel()
			}
			return true
		})
		if first := starts[0].Sub(begun); first > FirstWithin {
			t.Errorf("got the first run after %v, want at most %v", first, FirstWithin)
		}
		shortest, longest := time.Hour, time.Duration(0)
		for i := range starts[1:] {
			wait := starts[i+1].Sub(starts[i]) - work
			shortest, longest = min(shortest, wait), max(longest, wait)
		}
		if shortest < 12*time.Minute || shortest > 13*time.Minute || longest > 18*time.Minute || longest < 17*time.Minute {
			t.Errorf("got waits from %v to %v, want 12 to 18 minutes", shortest, longest)
		}
	})
}

// TestManyDoNotCheckAtOnce: 30 computers that are switched on at the same time spread
// their checks from the first one on, and more widely with each round.
func TestManyDoNotCheckAtOnce(t *testing.T) {
	const agents, rounds = 30, 4
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		perSecond := make([]map[int]int, rounds) // of a round: starts by second
		for i := range perSecond {
			perSecond[i] = map[int]int{}
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for agent := range agents {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				round := 0
				s := Schedule{Interval: 15 * time.Minute, Clock: probe.SystemClock{}, Random: rand.New(rand.NewPCG(7, uint64(agent))).Float64}
				s.Run(ctx, func(context.Context, Check) bool {
					mu.Lock()
					perSecond[round][int(time.Since(begun)/time.Second)]++
					mu.Unlock()
					if round++; round == rounds {
						cancel()
					}
					return true
				})
			})
		}
		wg.Wait()
		for round, most := range []int{9, 3, 3, 3} {
			for second, n := range perSecond[round] {
				if n > most {
					t.Errorf("round %d: got %d of %d checks in second %d, want at most %d", round, n, agents, second, most)
				}
			}
		}
	})
}

func TestStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		runs := 0
		begun := time.Now()
		Schedule{Interval: time.Hour, Clock: probe.SystemClock{}, Random: func() float64 { return 0.5 }}.
			Run(ctx, func(context.Context, Check) bool { runs++; return true })
		if took := time.Since(begun); took != time.Minute || runs != 1 {
			t.Errorf("ended after %v with %d runs, want after %v with 1", took, runs, time.Minute)
		}
	})
}

// A check that is due must not begin in a session that the computer learns of only then, such as after
// an installation during a session or a night asleep.
func TestNoCheckInASessionLearnedJustBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		running := wire.Session{StartsAt: time.Now().Add(-30 * time.Minute), EndsAt: new(time.Now().Add(time.Hour))}
		var known []wire.Session
		learned := 0
		var checked time.Time
		Schedule{
			Interval: 15 * time.Minute, Clock: probe.SystemClock{}, Random: func() float64 { return 0.5 },
			Sessions: func() []wire.Session { return known },
			Learn:    func(context.Context) { learned++; known = []wire.Session{running} },
		}.Run(ctx, func(context.Context, Check) bool {
			checked = time.Now()
			cancel()
			return true
		})
		if checked.Before(running.Closes()) {
			t.Errorf("got a check %v before the end of the session, want it after the end", running.Closes().Sub(checked))
		}
		if learned != 2 {
			t.Errorf("the sessions were requested %d times, want twice", learned)
		}
	})
}

// TestSessionEnteredLate: a session that becomes known shortly before its start still gets its full
// check, which is over when it begins.
func TestSessionEnteredLate(t *testing.T) {
	for _, notice := range []time.Duration{3 * time.Minute, 10 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			begun := time.Now()
			entered := begun.Add(90*time.Minute + 17*time.Second)
			session := wire.Session{StartsAt: entered.Add(notice)}
			var full time.Time
			Schedule{
				Interval: 2 * time.Hour, Clock: probe.SystemClock{}, Random: func() float64 { return 0.5 }, Seed: 3,
				Sessions: func() []wire.Session {
					if time.Now().Before(entered) {
						return nil
					}
					return []wire.Session{session}
				},
			}.Run(ctx, func(_ context.Context, c Check) bool {
				if c.Session != nil {
					full = time.Now()
				}
				if time.Since(begun) > 8*time.Hour || c.Session != nil {
					cancel()
				}
				return true
			})
			if full.IsZero() || full.Before(entered) || full.After(session.StartsAt.Add(-lastMoment)) {
				t.Errorf("entered %v before the start: got a check %v before it, want it at least %v before", notice, session.StartsAt.Sub(full), lastMoment)
			}
		})
	}
}
