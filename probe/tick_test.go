package probe

import (
	"testing"
	"time"
)

// ticking is a clock that does not advance between ticks. Reading it takes some time.
type ticking struct {
	units, tick, perReading uint64 // 100 ns
	start                   time.Time
}

func (c *ticking) pass() uint64 { c.units += c.perReading; return c.units }
func (c *ticking) atTick() uint64 {
	n := c.pass()
	return n - n%c.tick
}
func (c *ticking) now() time.Time  { return c.start.Add(time.Duration(c.atTick()) * 100) }
func (c *ticking) precise() uint64 { return c.pass() }

func TestBetweenTicks(t *testing.T) {
	const ms = 10_000
	start := time.Now()
	t.Run("never behind and monotonic", func(t *testing.T) {
		for _, tick := range []uint64{ms / 2, ms, 15625 * 10} {
			c := &ticking{tick: tick, perReading: 7, start: start}
			var last time.Time
			for range 100_000 {
				got := betweenTicks(c.now, c.atTick, c.precise)
				if want := start.Add(time.Duration(c.units) * 100); !got.Equal(want) {
					t.Fatalf("tick of %d: got %v, want %v", tick, got.Sub(start), want.Sub(start))
				}
				if !got.After(last) {
					t.Fatal("the clock did not advance")
				}
				last = got
			}
		}
	})
	t.Run("a tick at every reading", func(t *testing.T) {
		c := &ticking{tick: 5, perReading: 7, start: start}
		if got := betweenTicks(c.now, c.atTick, c.precise); got.After(start.Add(time.Duration(c.units) * 100)) {
			t.Error("the clock is ahead of the time")
		}
	})
	t.Run("a precise time with another base is not used", func(t *testing.T) {
		c := &ticking{tick: 100 * ms, perReading: 1, start: start}
		for _, precise := range []uint64{0, ^uint64(0), 5_000 * ms} {
			if got := betweenTicks(c.now, c.atTick, func() uint64 { return precise }); !got.Equal(start) {
				t.Errorf("precise %d: got %v after the tick, want 0s", precise, got.Sub(start))
			}
		}
	})
}
