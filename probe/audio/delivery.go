package audio

import (
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// A pause between two callbacks is suspicious when it is longer than both
// limits; it is a dropout when the sound of that time never comes.
const (
	gapMin     = 100 * time.Millisecond
	gapPeriods = 3
	// gapSettle is how long a stream may take to catch up after a pause.
	gapSettle = 300 * time.Millisecond
	// gapLost is how much sound must be missing for good.
	gapLost = 50 * time.Millisecond
)

// rateMinSpan is the shortest time over which a rate is worth stating: one
// period of 20 ms is 1 % of it.
const rateMinSpan = 2 * time.Second

// delivery compares when sound came with how much came. Its times are those of
// the callbacks in the child, so a slow parent does not disturb it.
type delivery struct {
	periodNS int64
	rateHz   float64 // nominal

	n               int
	firstNS, lastNS int64
	frames          int64 // after the first callback's own
	longestNS       int64
	fit             slopeFit
	lags            [lagWindow]int64 // of the last callbacks, a ring

	pause    pause
	dropouts int
	lostNS   int64 // the longest of them
}

// lagWindow is how many callbacks tell how far the sound is behind the clock.
const lagWindow = 4

// pause is a gap that is still being judged. A callback can come late but not
// early, so the least lag of several is the one to compare: a single one is off
// by as much as a period.
type pause struct {
	open      bool
	beforeNS  int64 // the least lag before it
	afterNS   int64 // the least lag since
	judgeAtNS int64
}

func newDelivery(period time.Duration, rateHz int) *delivery {
	return &delivery{periodNS: period.Nanoseconds(), rateHz: float64(rateHz)}
}

// add takes one callback after the warm-up.
func (d *delivery) add(m capture.PCM, frames int) {
	if d.n == 0 {
		d.firstNS, d.lastNS, d.n = m.AtNS, m.AtNS, 1
		d.fit.add(0, 0)
		return
	}
	gap := m.AtNS - d.lastNS
	d.longestNS = max(d.longestNS, gap)
	if gap > gapMin.Nanoseconds() && gap > gapPeriods*d.periodNS && !d.pause.open {
		before := slices.Min(d.lags[:min(d.n, lagWindow)])
		d.pause = pause{true, before, math.MaxInt64, m.AtNS + gapSettle.Nanoseconds()}
	}
	// Frames that the child threw away had been delivered.
	d.frames += int64(frames) + int64(m.LostFrames)
	lag := m.AtNS - d.firstNS - int64(float64(d.frames)*1e9/d.rateHz)
	d.lags[d.n%lagWindow] = lag
	d.n++
	d.lastNS = m.AtNS
	if !d.pause.open {
		d.fit.add(float64(m.AtNS-d.firstNS)/1e9, float64(d.frames))
		return
	}
	d.pause.afterNS = min(d.pause.afterNS, lag)
	if m.AtNS >= d.pause.judgeAtNS {
		d.judge()
		d.fit.breakOff() // a step in the frames is no rate
	}
}

// judge closes the pause: a dropout if the frames stayed behind the clock.
func (d *delivery) judge() {
	if missing := d.pause.afterNS - d.pause.beforeNS; missing > gapLost.Nanoseconds() {
		d.dropouts++
		d.lostNS = max(d.lostNS, missing)
	}
	d.pause.open = false
}

// rateErrorPct is the rate of delivery against the nominal one, and whether
// there was enough to tell.
func (d *delivery) rateErrorPct() (float64, bool) {
	if d.lastNS-d.firstNS < rateMinSpan.Nanoseconds() {
		return 0, false
	}
	slope, ok := d.fit.slope()
	return 100 * (slope/d.rateHz - 1), ok
}

// slopeFit is the common least-squares slope of several stretches, each with
// an offset of its own. A single late callback hardly tilts it, and a dropout
// between two stretches not at all.
type slopeFit struct {
	n, x, y, xx, xy float64 // of the present stretch
	sxx, sxy        float64 // about the means, of the stretches before
}

func (f *slopeFit) add(x, y float64) {
	f.n++
	f.x += x
	f.y += y
	f.xx += x * x
	f.xy += x * y
}

func (f *slopeFit) breakOff() { *f = slopeFit{sxx: f.totalXX(), sxy: f.totalXY()} }

func (f *slopeFit) totalXX() float64 {
	if f.n == 0 {
		return f.sxx
	}
	return f.sxx + f.xx - f.x*f.x/f.n
}

func (f *slopeFit) totalXY() float64 {
	if f.n == 0 {
		return f.sxy
	}
	return f.sxy + f.xy - f.x*f.y/f.n
}

func (f *slopeFit) slope() (float64, bool) {
	xx := f.totalXX()
	return f.totalXY() / xx, xx > 0
}
