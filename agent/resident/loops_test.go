package resident

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

func runLoops(t *testing.T, length time.Duration, list ...Loop) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	return Loops{List: list, Clock: probe.SystemClock{}, Random: func() float64 { return 0 }, Log: quiet}.Run(ctx)
}

func TestAFailingLoopWaitsLongerAndDoesNotAffectOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var starts []time.Duration
		ended := false
		err := runLoops(t, time.Hour,
			Loop{"failing", func(context.Context) error {
				starts = append(starts, time.Since(begun))
				switch len(starts) {
				case 1:
					panic("a bug")
				case 2:
					return nil // ended without a request
				}
				return errors.New("no network")
			}},
			Loop{"steady", func(ctx context.Context) error {
				<-ctx.Done()
				ended = true
				return ctx.Err()
			}})
		if !errors.Is(err, context.DeadlineExceeded) || !ended {
			t.Errorf("got %v, ended %v, want %v, true", err, ended, context.DeadlineExceeded)
		}
		for i, want := range []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second} {
			if starts[i] != want {
				t.Errorf("start %d: got %v, want %v", i, starts[i], want)
			}
		}
		// At most one start in five minutes once the waits have reached their maximum.
		if n := len(starts); n < 15 || n > 25 {
			t.Errorf("got %d starts in an hour, want 15 to 25", n)
		}
	})
}

func TestALoopThatRanForLongStartsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Time
		_ = runLoops(t, 3*time.Hour, Loop{"rare failure", func(ctx context.Context) error {
			starts = append(starts, time.Now())
			_ = probe.SystemClock{}.Sleep(ctx, time.Hour/2)
			return errors.New("once in a while")
		}})
		for i := range starts[1:] {
			if wait := starts[i+1].Sub(starts[i]) - time.Hour/2; wait != minRestartWait {
				t.Errorf("start %d: got a wait of %v, want %v", i+1, wait, minRestartWait)
			}
		}
	})
}
