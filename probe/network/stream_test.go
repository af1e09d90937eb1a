package network

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/echo"
)

// jumping is a clock that is set by an amount at a moment, as by hand or by a
// computer that slept; its Sleep goes on with the real time.
type jumping struct {
	mu   sync.Mutex
	from time.Time
	at   time.Duration
	by   time.Duration
}

func (c *jumping) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.from) >= c.at {
		now = now.Add(c.by)
	}
	return now
}

func (c *jumping) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// A clock that jumps makes no loss, no burst and no hang.
func TestStreamBearsAClockThatJumps(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, -2 * time.Second, 2 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			env := environment(t)
			env.Clock = &jumping{from: time.Now(), at: 1510 * time.Millisecond, by: by}
			var mu sync.Mutex
			var sent []time.Time
			start := time.Now()
			s := runStream(t.Context(), env, echoPace, func(ctx context.Context) (echo.Reply, error) {
				mu.Lock()
				sent = append(sent, time.Now())
				mu.Unlock()
				before := env.Clock.Now()
				_ = env.Clock.Sleep(ctx, 15*time.Millisecond)
				return echo.Reply{Kind: echo.Reached, RTT: env.Clock.Now().Sub(before)}, nil
			})
			if took := time.Since(start); took > 12*time.Second {
				t.Errorf("%v: took %v", by, took)
			}
			if s.lost() != 0 || s.kept > 1 || s.answered() < 29 || s.isBad() {
				t.Errorf("%v: %d lost, %d kept, %d answered", by, s.lost(), s.kept, s.answered())
			}
			for i := 10; i < len(sent); i++ {
				// The first one behind the jump takes its place in the schedule.
				if d := sent[i].Sub(sent[i-10]); d < 8*echoPace.every {
					t.Fatalf("%v: ten packets within %v", by, d)
				}
			}
		})
	}
}

// What this computer could not send is no loss of the line.
func TestStreamThatCannotBeSentIsNotLossy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := runStream(t.Context(), environment(t), echoPace, func(ctx context.Context) (echo.Reply, error) {
			switch past := time.Since(start); {
			case past > 2*time.Second && past < 4*time.Second:
				return echo.Reply{}, fmt.Errorf("send: %w", syscall.ENETUNREACH)
			case past > 1900*time.Millisecond && past < 2*time.Second: // under way when it went
				<-ctx.Done()
				return echo.Reply{}, echo.ErrSilent
			}
			return echo.Reply{Kind: echo.Reached, RTT: time.Millisecond}, nil
		})
		if s.kept < 30 || s.counted() {
			t.Errorf("%d sent, %d lost, %d kept, counted %t", s.sent, s.lost(), s.kept, s.counted())
		}
	})
}

func TestNearestRank(t *testing.T) {
	var d []time.Duration
	for i := range 20 {
		d = append(d, time.Duration(20-i))
	}
	for percent, want := range map[float64]time.Duration{0: 1, 5: 1, 50: 10, 95: 19, 96: 20, 100: 20} {
		if got := nearestRank(d, percent); got != want {
			t.Errorf("%v: %d, want %d", percent, got, want)
		}
	}
}
