package periodic

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// voicePace is the pace for a machine that responds to echo requests.
var voicePace = Pace{Count: 100, Every: 50 * time.Millisecond, Wait: 1600 * time.Millisecond}

// TestStreamAcrossAClockStep: a clock step causes no loss, no burst and no hang.
func TestStreamAcrossAClockStep(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, -2 * time.Second, 2 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			env := probetest.Env(t)
			env.Clock = &testnet.JumpingClock{From: time.Now(), At: 1510 * time.Millisecond, By: by}
			var mu sync.Mutex
			var sent []time.Time
			start := time.Now()
			s := Run(t.Context(), env, voicePace, func(ctx context.Context) (echo.Reply, error) {
				mu.Lock()
				sent = append(sent, time.Now())
				mu.Unlock()
				before := env.Clock.Now()
				_ = env.Clock.Sleep(ctx, 15*time.Millisecond)
				return echo.Reply{Kind: echo.Reached, RTT: env.Clock.Now().Sub(before)}, nil
			})
			if took := time.Since(start); took > 12*time.Second {
				t.Errorf("%v: took %v, want at most 12s", by, took)
			}
			if s.Lost() != 0 || s.Unsent > 1 || s.Answered() < 29 {
				t.Errorf("%v: got %d lost, %d unsent, %d answered; want 0, at most 1, at least 29", by, s.Lost(), s.Unsent, s.Answered())
			}
			for i := 10; i < len(sent); i++ {
				// The first packet after the step is sent at its scheduled time.
				if d := sent[i].Sub(sent[i-10]); d < 8*voicePace.Every {
					t.Fatalf("%v: got ten packets within %v, want at least %v", by, d, 8*voicePace.Every)
				}
			}
		})
	}
}

// TestUnsentPacketsAreNotLost: a packet that this computer could not send is not lost
// on the line.
func TestUnsentPacketsAreNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := Run(t.Context(), probetest.Env(t), voicePace, func(ctx context.Context) (echo.Reply, error) {
			switch past := time.Since(start); {
			case past > 2*time.Second && past < 4*time.Second:
				return echo.Reply{}, fmt.Errorf("send: %w", syscall.ENETUNREACH)
			case past > 1900*time.Millisecond && past < 2*time.Second: // in flight at the step
				<-ctx.Done()
				return echo.Reply{}, echo.ErrSilent
			}
			return echo.Reply{Kind: echo.Reached, RTT: time.Millisecond}, nil
		})
		if s.Unsent < 30 || s.Counted() {
			t.Errorf("got %d sent, %d lost, %d unsent, counted %t, want at least 30 unsent and not counted", s.Sent, s.Lost(), s.Unsent, s.Counted())
		}
	})
}

func TestNearestRank(t *testing.T) {
	var d []time.Duration
	for i := range 20 {
		d = append(d, time.Duration(20-i))
	}
	for percent, want := range map[float64]time.Duration{0: 1, 5: 1, 50: 10, 95: 19, 96: 20, 100: 20} {
		if got := NearestRank(d, percent); got != want {
			t.Errorf("%v: got %d, want %d", percent, got, want)
		}
	}
}
