package signal

import "math"

const (
	fullScale        = 0.999
	clippedRunAt48k  = 7 // samples: "more than 6"
	clippedRunCounts = 3 // shortest run that counts towards the clipped share

	flatStep        = 0.002 // relative to its level: largest step between samples of a flat top, up to 48 kHz
	kneeShare       = 0.016 // relative to its level: rise above the signal within kneeSpan
	flatRunAt48k    = 4
	kneeSpanAt48k   = 2
	edgeShare       = 0.95 // only tops above this share of the present extreme can be at the final one
	edgeWidthDB     = 0.3
	flatBinsPerDB   = 10
	flatFloorDBFS   = -40
	flatBins        = -flatFloorDBFS*flatBinsPerDB + 1
	minUpstreamRuns = 3
)

// clippingMeter detects clipping at full scale, and flat tops from clipping before a later gain stage.
type clippingMeter struct {
	// Clipping at full scale.
	minRun         int64
	run            int64
	negative       bool // sign of the run
	runs           int64
	clippedSamples int64

	// Flat tops below full scale by level, separately for positive and negative ones.
	flatMinRun, kneeSpan int
	flatStep             float64
	flatRun              int
	before               float64 // the sample kneeSpan before the flat run
	tops                 [2][flatBins]uint32

	// Runs at the present extremes.
	extremes [2]extremeRuns
}

func newClippingMeter(rateHz int) clippingMeter {
	scale := func(at48k int, least int) int {
		return max(least, int(math.Round(float64(at48k)*float64(rateHz)/48000)))
	}
	return clippingMeter{
		minRun:     int64(scale(clippedRunAt48k, 3)),
		flatMinRun: scale(flatRunAt48k, 3),
		kneeSpan:   scale(kneeSpanAt48k, 1),
		flatStep:   flatStep * min(1, 48000/float64(rateHz)),
	}
}

// write processes a block preceded by its history, the extremes including the block, and its survey. Chunks in which
// nothing is near an extreme or full scale are skipped, if the preceding one was not near either.
func (m *clippingMeter) write(extended []float64, stats *sampleStats, s *survey) {
	high, low := edgeShare*max(stats.highest, 0.01), edgeShare*min(stats.lowest, -0.01)
	near := min(high, -low, fullScale)
	before := largest(extended[:history])
	for n, c := range s.chunks {
		if m.run > 0 || m.flatRun >= 2 || max(before, c.peak) >= near {
			from := history + n*surveyChunk
			m.writeChunk(extended, from, min(from+surveyChunk, len(extended)), stats.n, high, low)
		}
		before = c.peak
	}
}

func (m *clippingMeter) writeChunk(extended []float64, from, to int, end int64, high, low float64) {
	span := m.kneeSpan
	for i := from; i < to; i++ {
		x := extended[i]
		if x >= fullScale || x <= -fullScale || m.run > 0 {
			m.countFullScale(x)
		}
		at := end + int64(i-len(extended))
		if x >= high {
			m.extremes[0].write(x, at)
		} else if x <= low {
			m.extremes[1].write(-x, at)
		}
		// The flat run is examined kneeSpan-1 samples late, when its trailing knee is known.
		y := extended[i-span+1]
		if y < high && y > low && m.flatRun < 2 {
			continue
		}
		m.followFlat(extended, i-span+1, high, low)
	}
}

func (m *clippingMeter) countFullScale(x float64) {
	clipped := x >= fullScale || x <= -fullScale
	if clipped && (m.run == 0 || m.negative == (x < 0)) {
		m.negative = x < 0
		m.run++
		return
	}
	m.endFullScale()
	m.run = 0
	if clipped {
		m.negative, m.run = x < 0, 1
	}
}

func (m *clippingMeter) endFullScale() {
	if m.run >= clippedRunCounts {
		m.clippedSamples += m.run
	}
	if m.run >= m.minRun {
		m.runs++
	}
}

func (m *clippingMeter) followFlat(extended []float64, at int, high, low float64) {
	current, previous := extended[at], extended[at-1]
	beyond := current >= high || current <= low
	if beyond && math.Abs(current-previous) <= m.flatStep*math.Abs(current) {
		if m.flatRun < 2 {
			m.flatRun, m.before = 1, extended[at-1-m.kneeSpan]
		}
		m.flatRun++
		return
	}
	if m.flatRun >= m.flatMinRun {
		m.endFlat(previous, extended[at-1+m.kneeSpan])
	}
	m.flatRun = 1
}

// endFlat counts a flat run with a knee on both sides. A rounded top, which is flat too for low voices at high
// sampling rates, has none.
func (m *clippingMeter) endFlat(level, after float64) {
	knee := kneeShare * math.Abs(level)
	side := 0
	rise, fall := level-m.before, level-after
	if level < 0 {
		side, rise, fall = 1, -rise, -fall
	}
	db := amplitudeDB(level)
	if rise < knee || fall < knee || db < flatFloorDBFS || math.Abs(level) >= fullScale {
		return
	}
	m.tops[side][flatBin(db)]++
}

func flatBin(dBFS float64) int {
	return max(0, min(flatBins-1, int(math.Round((dBFS-flatFloorDBFS)*flatBinsPerDB))))
}

// fullScaleResult returns the number of runs and the share of samples clipped at full scale.
func (m *clippingMeter) fullScaleResult(samples int64) (runs int, pct float64) {
	open := *m
	open.endFullScale()
	return int(open.runs), 100 * float64(open.clippedSamples) / float64(max(samples, 1))
}

// upstream counts the flat tops at the extremes of the signal, for each sign that has more of them than chance
// explains.
func (m *clippingMeter) upstream(stats *sampleStats) (runs int, levelDBFS *float64) {
	for side, extreme := range [2]float64{stats.highest, -stats.lowest} {
		edge := amplitudeDB(extreme)
		if extreme >= fullScale || edge < flatFloorDBFS {
			continue
		}
		count := 0
		for bin := flatBin(edge - edgeWidthDB); bin <= flatBin(edge); bin++ {
			count += int(m.tops[side][bin])
		}
		if count < minUpstreamRuns {
			continue
		}
		runs += count
		if levelDBFS == nil || edge > *levelDBFS {
			levelDBFS = new(edge)
		}
	}
	return runs, levelDBFS
}

// flatFactor returns 20 lg of the mean length of the runs at the exact extremes.
func (m *clippingMeter) flatFactor() float64 {
	samples := m.extremes[0].samples + m.extremes[1].samples
	runs := m.extremes[0].runs + m.extremes[1].runs
	if runs == 0 {
		return 0
	}
	return 20 * math.Log10(float64(samples)/float64(runs))
}

// extremeRuns counts the samples that equal the largest value so far, and runs of them.
type extremeRuns struct {
	value         float64
	samples, runs int64
	lastAt        int64 // number of the last such sample
}

func (e *extremeRuns) write(x float64, at int64) {
	switch {
	case x > e.value:
		*e = extremeRuns{value: x, samples: 1, runs: 1, lastAt: at}
	case x == e.value:
		e.samples++
		if at != e.lastAt+1 {
			e.runs++
		}
		e.lastAt = at
	}
}
