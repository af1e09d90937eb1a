// Package meter shows the level of a voice, as conference programs do, and whether it is
// sufficient.
package meter

import (
	"math"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// Scale and ballistics as in OBS Studio: floor, the two zone limits, the fall of the bar. OBS
// holds the peak for 20 s; a check lasts only a few seconds, so the peak falls earlier here.
const (
	FloorDBFS      = -60.0
	WarnDBFS       = -20.0
	ErrorDBFS      = -9.0
	decayDBPerS    = 11.8
	peakHoldFor    = 3 * time.Second
	silentReadings = 500 * time.Millisecond // without a reading for this time, the number is removed
)

// Level is the state of the bar. It rises at once, falls slowly, and marks the highest peak
// of the last seconds.
type Level struct {
	shown  float64
	peak   float64
	peakAt time.Time
	at     time.Time
	heard  time.Time
}

// Hear processes a reading.
func (l Level) Hear(reading probe.Level, now time.Time) Level {
	l = l.Fall(now)
	peak := reading.PeakDBFS
	if math.IsNaN(peak) {
		peak = FloorDBFS
	}
	peak = min(0, max(FloorDBFS, peak))
	l.heard = now
	l.shown = max(l.shown, peak)
	if peak >= l.peak {
		l.peak, l.peakAt = peak, now
	}
	return l
}

// Fall lets the bar fall until now.
func (l Level) Fall(now time.Time) Level {
	if l.at.IsZero() {
		return Level{shown: FloorDBFS, peak: FloorDBFS, at: now, peakAt: now}
	}
	l.shown = max(FloorDBFS, l.shown-decayDBPerS*max(0, now.Sub(l.at).Seconds()))
	if now.Sub(l.peakAt) > peakHoldFor {
		l.peak, l.peakAt = l.shown, now
	}
	l.at = now
	return l
}

// Value returns the level of the bar in dBFS; ok is false without a recent reading.
func (l Level) Value() (dbfs float64, ok bool) {
	return l.shown, !l.heard.IsZero() && l.at.Sub(l.heard) < silentReadings
}
