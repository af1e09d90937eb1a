package audio

import (
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/capture"
)

// An interval between two callbacks is a candidate when it exceeds both limits. It
// is a dropout when the samples of that interval are never delivered.
const (
	gapMin     = 100 * time.Millisecond
	gapPeriods = 3
	// gapSettle is the time a stream may take to catch up after an interval. On a
	// busy computer the backlog arrives in several steps.
	gapSettle = time.Second
	// gapLost is the amount of sound that must remain missing.
	gapLost = 50 * time.Millisecond
)

// rateMinSpan is the shortest span for which a rate is stated. One callback period of 50 ms is
// 2.5 % of it.
const rateMinSpan = 2 * time.Second

// A callback can be late but never early. Therefore the callback with the least
// lag in each rateWindow is used for the rate. At least rateWindows of them are
// required.
const (
	rateWindow  = 400 * time.Millisecond
	rateWindows = 4
)

// delivery compares the number of frames with the time of their callbacks. The
// times are taken in the child process, so that a slow parent does not affect them.
type delivery struct {
	periodNS int64
	rateHz   float64 // nominal

	n               int
	firstNS, lastNS int64
	frames          int64 // not counting the frames of the first callback
	longestNS       int64
	rate            rateFit
	lags            [lagWindow]lag // ring buffer of the latest callbacks

	pause    pause
	dropouts int
	lostNS   int64 // duration of the longest dropout
}

// lag is the delay of the frames behind the clock at one callback.
type lag struct{ atNS, behindNS int64 }

// lagWindow is the number of callbacks from which the lag is determined.
const lagWindow = 4

// pause is an interval that has not been classified yet. A callback can be late
// but not early, so the smallest lag of several callbacks is compared: a single one
// can be wrong by a whole period.
type pause struct {
	open      bool
	before    []lag
	after     []lag
	judgeAtNS int64
}

// minLag returns the smallest lag in of, corrected for the growth of the lag
// caused by a rate error of drift (1 means that no frames arrive).
func minLag(of []lag, drift float64) int64 {
	least := int64(math.MaxInt64)
	for _, l := range of {
		least = min(least, l.behindNS-int64(drift*float64(l.atNS)))
	}
	return least
}

func newDelivery(period time.Duration, rateHz int) *delivery {
	return &delivery{periodNS: period.Nanoseconds(), rateHz: float64(rateHz)}
}

// add processes one callback after the warm-up.
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
	// Frames that the child discarded had been delivered by the device.
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
		d.rate.breakOff() // a step in the frame count is not a rate error
	}
}

// judge classifies the pause: it is a dropout if the frames remained behind the clock.
func (d *delivery) judge() {
	drift := 0.0
	if slope, ok := d.rate.hz(); ok && d.pause.before[0].atNS >= rateMinSpan.Nanoseconds() {
		drift = 1 - slope/d.rateHz
	}
	if missing := minLag(d.pause.after, drift) - minLag(d.pause.before, drift); missing > gapLost.Nanoseconds() {
		d.dropouts++
		d.lostNS = max(d.lostNS, missing)
	}
	d.pause.open = false
}

// rateErrorPct returns the deviation of the delivery rate from the nominal rate,
// and false if the data does not suffice.
func (d *delivery) rateErrorPct() (float64, bool) {
	if d.lastNS-d.firstNS < rateMinSpan.Nanoseconds() {
		return 0, false
	}
	hz, ok := d.rate.hz()
	return 100 * (hz/d.rateHz - 1), ok
}

// rateFit estimates the rate of delivery.
type rateFit struct {
	fit     slopeFit
	windows int // number of windows in the fit

	// The current window: its end, and the callback with the least lag.
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

// slopeFit is a least-squares fit of one common slope to several segments, each
// with its own offset. A single late callback has little effect, and a dropout
// between two segments has none.
type slopeFit struct {
	n, x, y, xx, xy float64 // sums of the current segment
	sxx, sxy        float64 // sums about the means, of the finished segments
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
