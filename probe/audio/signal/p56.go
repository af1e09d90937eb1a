package signal

import "math"

// Constants of ITU-T P.56 (12/2011) §6, method B.
const (
	p56TimeConstantS = 0.03
	p56HangoverS     = 0.2
	p56MarginDB      = 15.9
	p56Thresholds    = 15
	p56StepS         = 0.0005 // the recommendation allows 1/600 s at most

	// NoSpeechDBFS is the active level that is reported if P.56 finds no activity.
	NoSpeechDBFS = -100
)

// SpeechLevel is a measurement by ITU-T P.56 method B.
type SpeechLevel struct {
	ActiveDBFS  float64 // level while active; NoSpeechDBFS when there is no activity
	ActivityPct float64 // share of active time, 0..100
	RMSDBFS     float64 // long-term level over the whole time
}

// ActiveSpeechLevel measures samples (±1) by ITU-T P.56 method B, without prior filtering.
func ActiveSpeechLevel(samples []float32, rateHz int) SpeechLevel {
	meter := newP56Meter(rateHz)
	var block [512]float64
	for len(samples) > 0 {
		n := min(len(samples), len(block))
		for i, x := range samples[:n] {
			block[i] = float64(x)
		}
		meter.write(block[:n])
		samples = samples[n:]
	}
	return meter.level()
}

// p56Meter counts, for each of 15 thresholds, how long the twice smoothed envelope was at or above it, each visit
// extended by the hangover. The recommendation defines a counter per sample and threshold. Because the thresholds are
// ordered, it suffices to act when the envelope crosses one of them.
//
// The envelope changes within about 30 ms, so it is updated in steps of p56StepS with the mean magnitude of the step.
// The energy is computed from every sample.
type p56Meter struct {
	step          int     // samples
	filled        int     // samples of the current step
	magnitudes    float64 // sum of their magnitudes
	smoothing     float64 // of the envelope, per step
	hangover      int64   // samples
	p, q          float64
	sumSquares    float64
	samples       int64
	below         int     // number of thresholds at or below the envelope
	lower, upper  float64 // range of the envelope in which below does not change
	activeSamples [p56Thresholds]int64
	risenAt       [p56Thresholds]int64
	fallenAt      [p56Thresholds]int64
	everAbove     [p56Thresholds]bool
}

func newP56Meter(rateHz int) p56Meter {
	m := p56Meter{
		step:     int(math.Round(p56StepS * float64(rateHz))),
		hangover: int64(math.Floor(p56HangoverS*float64(rateHz) + 0.5)),
	}
	m.smoothing = math.Exp(-float64(m.step) / (float64(rateHz) * p56TimeConstantS))
	m.setRange()
	return m
}

// p56Threshold returns 2^-15 for j = 0, doubling up to 0.5 for j = 14.
func p56Threshold(j int) float64 { return math.Ldexp(1, j-p56Thresholds) }

func (m *p56Meter) write(block []float64) {
	for len(block) > 0 {
		n := min(len(block), m.step-m.filled)
		magnitudes, squares := magnitudes(block[:n])
		m.magnitudes += magnitudes
		m.sumSquares += squares
		m.samples += int64(n)
		block = block[n:]
		if m.filled += n; m.filled == m.step {
			m.endStep()
		}
	}
}

func (m *p56Meter) endStep() {
	g := m.smoothing
	m.p = g*m.p + (1-g)*m.magnitudes/float64(m.step)
	m.q = g*m.q + (1-g)*m.p
	if m.q >= m.upper || m.q < m.lower {
		m.cross(m.q, m.samples-int64(m.step/2)) // within the step
	}
	if m.q < 1e-30 { // avoid slow denormals during silence
		m.p, m.q = 0, 0
	}
	m.filled, m.magnitudes = 0, 0
}

// magnitudes returns the sums of magnitudes and squares. Two accumulators each shorten the dependency chain.
func magnitudes(samples []float64) (magnitudes, squares float64) {
	var m, n, s, t float64
	for ; len(samples) >= 2; samples = samples[2:] {
		x, y := samples[0], samples[1]
		m, n = m+math.Abs(x), n+math.Abs(y)
		s, t = s+x*x, t+y*y
	}
	for _, x := range samples {
		m, s = m+math.Abs(x), s+x*x
	}
	return m + n, s + t
}

// cross records the thresholds that the envelope passed at sample number now.
func (m *p56Meter) cross(envelope float64, now int64) {
	for m.below < p56Thresholds && envelope >= p56Threshold(m.below) {
		j := m.below
		m.activeSamples[j] += m.hangoverUntil(j, now)
		m.risenAt[j], m.everAbove[j] = now, true
		m.below++
	}
	for m.below > 0 && envelope < p56Threshold(m.below-1) {
		m.below--
		j := m.below
		m.activeSamples[j] += now - m.risenAt[j]
		m.fallenAt[j] = now
	}
	m.setRange()
}

func (m *p56Meter) setRange() {
	m.lower, m.upper = 0, math.Inf(1)
	if m.below > 0 {
		m.lower = p56Threshold(m.below - 1)
	}
	if m.below < p56Thresholds {
		m.upper = p56Threshold(m.below)
	}
}

// hangoverUntil returns the part of the hangover after the last visit of threshold j that has passed by now. Before
// the first visit there is none: the counters start expired.
func (m *p56Meter) hangoverUntil(j int, now int64) int64 {
	if !m.everAbove[j] {
		return 0
	}
	return min(now-m.fallenAt[j], m.hangover)
}

// active returns the activity count of threshold j up to now.
func (m *p56Meter) active(j int) int64 {
	if j < m.below {
		return m.activeSamples[j] + m.samples - m.risenAt[j]
	}
	return m.activeSamples[j] + m.hangoverUntil(j, m.samples)
}

func (m *p56Meter) level() SpeechLevel {
	if m.samples == 0 {
		return SpeechLevel{NoSpeechDBFS, 0, FloorDBFS}
	}
	none := SpeechLevel{NoSpeechDBFS, 0, powerDB(m.sumSquares / float64(m.samples))}
	var previous, previousMargin float64
	for j := range p56Thresholds {
		count := m.active(j)
		if count == 0 {
			return none
		}
		level := 10 * math.Log10(m.sumSquares/float64(count))
		margin := level - 20*math.Log10(p56Threshold(j))
		if margin > p56MarginDB {
			previous, previousMargin = level, margin
			continue
		}
		if j == 0 && margin < p56MarginDB {
			return none
		}
		if j > 0 {
			// The level at which threshold and level differ by exactly the margin, linear in dB.
			level = previous + (level-previous)*(previousMargin-p56MarginDB)/(previousMargin-margin)
		}
		rms := 10 * math.Log10(m.sumSquares/float64(m.samples))
		return SpeechLevel{level, 100 * math.Min(1, math.Pow(10, (rms-level)/10)), none.RMSDBFS}
	}
	// The signal is louder than the highest threshold can bracket, about 10 dB above full scale. The count of that
	// threshold is the nearest available.
	none.ActiveDBFS = previous
	none.ActivityPct = 100 * float64(m.active(p56Thresholds-1)) / float64(m.samples)
	return none
}
