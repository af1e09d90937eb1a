package audio

import (
	"math"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// delivered passes callbacks of 50 ms to a delivery; change may modify their times
// and frame counts.
func delivered(change func(i int, at *time.Duration, frames *int)) *delivery {
	const period = 50 * time.Millisecond
	d := newDelivery(period, capture.RateHz)
	for i := range 100 {
		at, frames := time.Duration(i)*period, capture.RateHz/20
		change(i, &at, &frames)
		d.add(capture.PCM{AtNS: at.Nanoseconds()}, frames)
	}
	return d
}

func TestDelivery(t *testing.T) {
	const ms = time.Millisecond
	held := func(from, to int, by time.Duration) func(int, *time.Duration, *int) {
		end := time.Duration(from)*50*ms + by
		return func(i int, at *time.Duration, _ *int) {
			if i >= from && i < to {
				*at = max(*at, end)
			}
		}
	}
	for name, c := range map[string]struct {
		change   func(int, *time.Duration, *int)
		dropouts int
	}{
		"even":                      {func(int, *time.Duration, *int) {}, 0},
		"held up, then all at once": {held(40, 46, 250*ms), 0},
		// The callback before the pause was on time, all but one after it late by
		// more than a period: nothing is missing.
		"held up, then late": {func(i int, at *time.Duration, n *int) {
			held(40, 44, 160*ms)(i, at, n)
			switch {
			case i == 47:
				*at += 20 * ms
			case i >= 44:
				*at += 70 * ms
			}
		}, 0},
		"caught up in two steps": {func(i int, at *time.Duration, n *int) {
			held(40, 46, 250*ms)(i, at, n)
			if i >= 46 && i < 58 {
				*at += 90 * ms
			}
		}, 0},
		"at a wrong rate, held up": {func(i int, at *time.Duration, n *int) {
			held(60, 66, 300*ms)(i, at, n)
			*n = *n * 92 / 100
		}, 0},
		"four lost": {func(i int, at *time.Duration, _ *int) {
			if i >= 40 {
				*at += 200 * ms
			}
		}, 1},
		"lost twice": {func(i int, at *time.Duration, _ *int) {
			for _, loss := range []int{30, 60} {
				if i >= loss {
					*at += 200 * ms
				}
			}
		}, 2},
	} {
		d := delivered(c.change)
		if d.dropouts != c.dropouts {
			t.Errorf("%s: %d dropouts, want %d", name, d.dropouts, c.dropouts)
		}
		if c.dropouts > 0 && time.Duration(d.lostNS) != 200*ms {
			t.Errorf("%s: %v lost, want 200 ms", name, time.Duration(d.lostNS))
		}
		if off, ok := d.rateErrorPct(); c.dropouts > 0 && (!ok || off < -0.1 || off > 0.1) {
			t.Errorf("%s: the rate is off by %v %%, want 0", name, off)
		}
	}
}

// TestRateOnABusyComputer checks that late callbacks, many and for some time, are
// not a wrong rate, and that a wrong rate is still detected among them.
func TestRateOnABusyComputer(t *testing.T) {
	for _, pct := range []int{100, 97} {
		for _, busy := range [][2]int{{0, 14}, {30, 44}, {86, 100}} {
			d := delivered(func(i int, at *time.Duration, n *int) {
				*n = *n * pct / 100
				if i >= busy[0] && i < busy[1] && i%7 != 6 {
					*at += 100 * time.Millisecond
				}
			})
			off, ok := d.rateErrorPct()
			if want := float64(pct - 100); !ok || math.Abs(off-want) > 0.5 {
				t.Errorf("%d %%, busy in %v: off by %.2f %%, want %.0f %%", pct, busy, off, want)
			}
		}
	}
}
