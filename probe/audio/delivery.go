package audio

import (
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

	n               int
	firstNS, lastNS int64
	frames          int64 // after the first callback's own
	longestNS       int64
	fit             line

	pause    pause
	dropouts int
	lostNS   int64 // the longest of them
}

// pause is a gap that is still being judged.
type pause struct {
	open         bool
	beforeNS     int64
	beforeFrames int64
	judgeAtNS    int64
}

func newDelivery(period time.Duration) *delivery { return &delivery{periodNS: period.Nanoseconds()} }

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
		d.pause = pause{true, d.lastNS, d.frames, m.AtNS + gapSettle.Nanoseconds()}
	}
	d.n++
	d.lastNS = m.AtNS
	// Frames that the child threw away had been delivered.
	d.frames += int64(frames) + int64(m.LostFrames)
	d.fit.add(float64(m.AtNS-d.firstNS)/1e9, float64(d.frames))
	if d.pause.open && m.AtNS >= d.pause.judgeAtNS {
		d.judge()
	}
}

// judge closes the pause: a dropout if the frames stayed behind the clock.
func (d *delivery) judge() {
	expected := d.lastNS - d.pause.beforeNS
	came := (d.frames - d.pause.beforeFrames) * 1e9 / capture.RateHz
	if missing := expected - came; missing > gapLost.Nanoseconds() {
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
	return 100 * (slope/capture.RateHz - 1), ok
}

// line is a least-squares line, which a single late callback hardly tilts.
type line struct{ n, x, y, xx, xy float64 }

func (l *line) add(x, y float64) {
	l.n++
	l.x += x
	l.y += y
	l.xx += x * x
	l.xy += x * y
}

func (l *line) slope() (float64, bool) {
	det := l.n*l.xx - l.x*l.x
	if det <= 0 {
		return 0, false
	}
	return (l.n*l.xy - l.x*l.y) / det, true
}
