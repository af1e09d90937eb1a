package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// TestPathWaitsItsTurn: for those who go first, but not for ever.
func TestPathWaitsItsTurn(t *testing.T) {
	const most = 4 * time.Second
	for name, c := range map[string]struct{ began, over, want time.Duration }{
		"over already":              {0, 0, 0},
		"over in between":           {0, time.Second, time.Second},
		"never over":                {0, time.Hour, most},
		"its own finding took time": {3 * time.Second, time.Hour, most - 3*time.Second},
		"that took all of it":       {5 * time.Second, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				after := make(chan struct{})
				over := time.AfterFunc(c.over, func() { close(after) })
				defer over.Stop()
				start := time.Now()
				p := path{PathConfig{After: after, AtMost: most}}
				p.awaitTurn(t.Context(), probe.Env{Clock: probe.SystemClock{}}, start.Add(-c.began))
				if got := time.Since(start); got != c.want {
					t.Errorf("waited %v, want %v", got, c.want)
				}
			})
		})
	}
	start := time.Now()
	path{}.awaitTurn(t.Context(), probe.Env{}, start) // nobody to wait for: the clock is not asked
}
