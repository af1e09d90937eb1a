package probe

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitsItsTurn: for those who go first, but not for ever.
func TestWaitsItsTurn(t *testing.T) {
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
				AwaitTurn(t.Context(), SystemClock{}, after, most-c.began)
				if got := time.Since(start); got != c.want {
					t.Errorf("waited %v, want %v", got, c.want)
				}
			})
		})
	}
	AwaitTurn(t.Context(), nil, nil, time.Hour) // nobody to wait for: the clock is not asked
}
