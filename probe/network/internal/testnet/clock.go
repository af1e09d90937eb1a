package testnet

import (
	"context"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// JumpingClock steps by an amount at a given time, as when set by hand or after a
// sleep state. Its Sleep follows real time.
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
	return probe.SystemClock{}.Sleep(ctx, d)
}
