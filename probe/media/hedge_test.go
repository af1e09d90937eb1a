package media

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errLine = errors.New("connection reset")

// TestHedgedAsksTwiceAtMost runs in virtual time.
func TestHedgedAsksTwiceAtMost(t *testing.T) {
	silent := func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }
	after := func(d time.Duration, v string, err error) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) {
			select {
			case <-time.After(d):
				return v, err
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	}
	for name, c := range map[string]struct {
		first, second func(context.Context) (string, error)
		want          string
		err           error
		took          time.Duration
		asked         int32
	}{
		"at once":                 {after(0, "a", nil), nil, "a", nil, 0, 1},
		"slow, but in time":       {after(1900*time.Millisecond, "a", nil), nil, "a", nil, 1900 * time.Millisecond, 1},
		"the first is lost":       {silent, after(100*time.Millisecond, "b", nil), "b", nil, 2100 * time.Millisecond, 2},
		"the first is faster":     {after(2100*time.Millisecond, "a", nil), silent, "a", nil, 2100 * time.Millisecond, 2},
		"the connection breaks":   {after(time.Second, "", errLine), after(0, "b", nil), "b", nil, 1250 * time.Millisecond, 2},
		"it breaks twice":         {after(0, "", errLine), after(0, "", errLine), "", errLine, 250 * time.Millisecond, 2},
		"a refusal is a response": {after(0, "", &SignalError{Status: 503}), nil, "", &SignalError{Status: 503}, 0, 1},
		"silence, within limits":  {silent, silent, "", context.DeadlineExceeded, 5 * time.Second, 2},
		"breaks late, then works": {after(3*time.Second, "", errLine), after(1500*time.Millisecond, "b", nil), "b", nil, 3500 * time.Millisecond, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				var asked atomic.Int32
				start := time.Now()
				got, err := hedged(ctx, func(ctx context.Context) (string, error) {
					if asked.Add(1) == 1 {
						return c.first(ctx)
					}
					return c.second(ctx)
				})
				took := time.Since(start)
				same := errors.Is(err, c.err)
				if want, ok := errors.AsType[*SignalError](c.err); ok {
					got, isSignal := errors.AsType[*SignalError](err)
					same = isSignal && got.Status == want.Status
				}
				if got != c.want || !same || took != c.took || asked.Load() != c.asked {
					t.Errorf("got %q, error %v after %v with %d requests; want %q, %v, %v, %d", got, err, took, asked.Load(), c.want, c.err, c.took, c.asked)
				}
			})
		})
	}
}
