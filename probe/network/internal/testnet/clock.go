package testnet

import (
	"context"
	"sync"
	"time"
)

// JumpingClock is a clock that is set by an amount at a moment, as by hand or by a
// computer that slept; its Sleep goes on with the real time.
type JumpingClock struct {
	mu   sync.Mutex
	From time.Time
	At   time.Duration
	By   time.Duration
}

// Now implements probe.Clock.
func (c *JumpingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.From) >= c.At {
		now = now.Add(c.By)
	}
	return now
}

// Sleep implements probe.Clock.
func (c *JumpingClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
