// Package signal measures what a microphone delivers: how loud the voice is, what is wrong with it, and
// whether there is one at all. It is pure computation on samples: no device, no file, no clock.
//
// An [Analyzer] takes a stream in blocks of any size and can be asked at any time, so the same code serves
// the live meter, the check and the analysis of a file.
package signal

import (
	"fmt"
	"math"
)

// Sampling rates an Analyzer accepts, in Hz.
const (
	MinRateHz = 8000
	MaxRateHz = 192000
)

const (
	maxChannels = 2
	blockFrames = 512
)

// Format describes the samples given to Analyzer.Write.
type Format struct {
	RateHz   int // MinRateHz..MaxRateHz
	Channels int // interleaved channels; only the first two are looked at
}

// Analyzer measures one stream. It is not safe for concurrent use.
type Analyzer struct {
	format    Format
	frames    int64
	nonFinite int64
	position  int // channel of the next sample: a Write may end within a frame
	filled    int // whole frames in the block being gathered

	raw      [][]float64 // per channel, the block being gathered
	channels []channel
	zero     zeroMeter
}

// NewAnalyzer returns an Analyzer for one stream, or an error saying what in the format cannot be measured.
func NewAnalyzer(f Format) (*Analyzer, error) {
	if f.Channels < 1 {
		return nil, fmt.Errorf("analyse audio: %d channels; at least 1 is needed", f.Channels)
	}
	if f.RateHz < MinRateHz || f.RateHz > MaxRateHz {
		return nil, fmt.Errorf("analyse audio: a rate of %d Hz; only %d to %d Hz can be measured", f.RateHz, MinRateHz, MaxRateHz)
	}
	a := &Analyzer{format: f}
	for range min(f.Channels, maxChannels) {
		a.raw = append(a.raw, make([]float64, blockFrames))
		a.channels = append(a.channels, newChannel(f.RateHz))
	}
	return a, nil
}

// Write adds interleaved samples, nominally ±1. Values that are NaN or infinite are taken as 0 and counted.
func (a *Analyzer) Write(interleaved []float32) {
	for _, sample := range interleaved {
		if a.position < len(a.raw) {
			x := float64(sample)
			if math.IsNaN(x) || math.IsInf(x, 0) {
				x = 0
				a.nonFinite++
			}
			a.raw[a.position][a.filled] = x
		}
		if a.position++; a.position < a.format.Channels {
			continue
		}
		a.position = 0
		if a.filled++; a.filled == blockFrames {
			a.flush()
		}
	}
	a.flush()
}

// flush hands the whole frames gathered so far to every meter, and keeps the begun one.
func (a *Analyzer) flush() {
	n := a.filled
	if n == 0 {
		return
	}
	var block [maxChannels][]float64
	for c := range a.raw {
		block[c] = a.raw[c][:n]
		a.channels[c].write(block[c])
	}
	a.zero.write(block[:len(a.raw)])
	a.frames += int64(n)
	a.filled = 0
	for c := range min(a.position, len(a.raw)) {
		a.raw[c][0] = a.raw[c][n]
	}
}

// Level is the state of the live meter.
func (a *Analyzer) Level() Level {
	l := Level{RMSDBFS: FloorDBFS, PeakDBFS: FloorDBFS, ZeroMS: a.milliseconds(a.zero.run)}
	for c := range a.channels {
		rms, peak := a.channels[c].meter.level()
		l.RMSDBFS, l.PeakDBFS = max(l.RMSDBFS, rms), max(l.PeakDBFS, peak)
	}
	return l
}

// Analysis sums up everything written so far. It does not disturb the stream.
func (a *Analyzer) Analysis() Analysis {
	r := Analysis{
		DurationMS:    a.milliseconds(a.frames),
		DigitalZeroMS: a.milliseconds(a.zero.longestRun()),
		AllZero:       a.frames > 0 && a.zero.nonZero == 0,
		NonFinite:     a.nonFinite,
		PeakDBFS:      FloorDBFS,
	}
	r.VoiceChannel = a.voiceChannel()
	voice := &a.channels[r.VoiceChannel]
	level := voice.p56.level()
	r.ActiveLevelDBFS, r.ActivityPct, r.RMSDBFS = level.ActiveDBFS, level.ActivityPct, voice.stats.rmsDBFS()
	for c := range a.channels {
		stats := &a.channels[c].stats
		r.ChannelRMSDBFS = append(r.ChannelRMSDBFS, stats.rmsDBFS())
		r.PeakDBFS = max(r.PeakDBFS, amplitudeDB(stats.peak()))
		if dc := stats.mean(); math.Abs(dc) > math.Abs(r.DCOffset) {
			r.DCOffset = dc
		}
	}
	return r
}

func (a *Analyzer) voiceChannel() int {
	best, bestLevel := 0, math.Inf(-1)
	for c := range a.channels {
		level := a.channels[c].p56.level().ActiveDBFS + a.channels[c].stats.rmsDBFS()/1000
		if level > bestLevel {
			best, bestLevel = c, level
		}
	}
	return best
}

func (a *Analyzer) milliseconds(frames int64) float64 {
	return float64(frames) * 1000 / float64(a.format.RateHz)
}
