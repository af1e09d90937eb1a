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
	// gapSettle is how long a stream may take to catch up after a pause. On a
	// busy computer the rest of it comes in several steps.
	gapSettle = time.Second
	// gapLost is how much sound must be missing for good.
	gapLost = 50 * time.Millisecond
)

// rateMinSpan is the shortest time over which a rate is worth stating: one
// period of 20 ms is 1 % of it.
const rateMinSpan = 2 * time.Second

// A callback can be late for a while, never early: of each rateWindow the one
// that is least behind tells of the rate, and fewer than rateWindows of them
// tell nothing.
const (
	rateWindow  = 400 * time.Millisecond
	rateWindows = 4
)

// delivery compares when sound came with how much came. Its times are those of
// the callbacks in the child, so a slow parent does not disturb it.
type delivery struct {
	periodNS int64
	rateHz   float64 // nominal

	n               int
	firstNS, lastNS int64
	frames          int64 // after the first callback's own
	longestNS       int64
	rate            rateFit
	lags            [lagWindow]lag // of the last callbacks, a ring

	pause    pause
	dropouts int
	lostNS   int64 // the longest of them
}

// lag is how far the sound is behind the clock at a callback.
type lag struct{ atNS, behindNS int64 }

// lagWindow is how many callbacks tell that.
const lagWindow = 4

// pause is a gap that is still being judged. A callback can come late but not
// early, so the least lag of several is the one to compare: a single one is off
// by as much as a period.
type pause struct {
	open      bool
	before    []lag
	after     []lag
	judgeAtNS int64
}

// leastLag is the least of several, less what a rate that is off by drift (1 is
// all of it) adds to it in the time.
func leastLag(of []lag, drift float64) int64 {
	least := int64(math.MaxInt64)
	for _, l := range of {
		least = min(least, l.behindNS-int64(drift*float64(l.atNS)))
	}
	return least
}

func newDelivery(period time.Duration, rateHz int) *delivery {
	return &delivery{periodNS: period.Nanoseconds(), rateHz: float64(rateHz)}
}

// add takes one callback after the warm-up.
func (d *delivery) add(m capture.PCM, frames int) {
	if d.n == 0 {
		d.firstNS, d.lastNS, d.n = m.AtNS, m.AtNS, 1
		d.rate.add(lag{}, 0)
		return
	}
	gap := m.AtNS - d.lastNS
	d.longestNS = max(d.longestNS, gap)
	if gap > gapMin.Nanoseconds() && gap > gapPeriods*d.periodNS && !d.pause.open {
		d.pause = pause{open: true, before: slices.Clone(d.lags[:min(d.n, lagWindow)]), judgeAtNS: m.AtNS + gapSettle.Nanoseconds()}
	}
	// Frames that the child threw away had been delivered.
	d.frames += int64(frames) + int64(m.LostFrames)
	now := lag{atNS: m.AtNS - d.firstNS}
	now.behindNS = now.atNS - int64(float64(d.frames)*1e9/d.rateHz)
	d.lags[d.n%lagWindow] = now
	d.n++
	d.lastNS = m.AtNS
	if !d.pause.open {
		d.rate.add(now, d.frames)
		return
	}
	d.pause.after = append(d.pause.after, now)
	if m.AtNS >= d.pause.judgeAtNS {
		d.judge()
		d.rate.breakOff() // a step in the frames is no rate
	}
}

// judge closes the pause: a dropout if the frames stayed behind the clock.
func (d *delivery) judge() {
	drift := 0.0
	if slope, ok := d.rate.hz(); ok && d.pause.before[0].atNS >= rateMinSpan.Nanoseconds() {
		drift = 1 - slope/d.rateHz
	}
	if missing := leastLag(d.pause.after, drift) - leastLag(d.pause.before, drift); missing > gapLost.Nanoseconds() {
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
	hz, ok := d.rate.hz()
	return 100 * (hz/d.rateHz - 1), ok
}

// rateFit is the rate at which sound is delivered.
type rateFit struct {
	fit     slopeFit
	windows int // that went into it

	// Of the window under way: its end, and the callback that is least behind.
	endNS  int64
	least  lag
	frames int64
}

func (r *rateFit) add(l lag, frames int64) {
	if r.endNS > 0 && l.atNS >= r.endNS {
		r.fit.add(float64(r.least.atNS)/1e9, float64(r.frames))
		r.windows++
		r.endNS = 0
	}
	if r.endNS == 0 {
		r.endNS, r.least, r.frames = l.atNS+rateWindow.Nanoseconds(), l, frames
	} else if l.behindNS < r.least.behindNS {
		r.least, r.frames = l, frames
	}
}

func (r *rateFit) breakOff() {
	r.fit.breakOff()
	r.endNS = 0
}

func (r *rateFit) hz() (float64, bool) {
	slope, ok := r.fit.slope()
	return slope, ok && r.windows >= rateWindows
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
