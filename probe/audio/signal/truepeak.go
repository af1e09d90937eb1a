package signal

import "math"

// history is the number of earlier samples before each block for meters that look back.
const history = 16

const (
	truePeakTaps   = 12                 // per phase, as in BS.1770-5 Annex 2
	truePeakMiddle = truePeakTaps/2 - 1 // interpolated values lie between this sample and the next
)

// truePeakMeter estimates the peak of the continuous signal by oversampling: 4 times up to 72 kHz, 2 times up to
// 144 kHz, and not above, where the sampling is dense enough (BS.1770-5 Annex 2).
type truePeakMeter struct {
	peak   float64
	phases [][truePeakTaps]float64
	bound  interpolationBound
}

// interpolationBound is an upper bound for the output of all phases. A phase outputs Σ hᵢ·xᵢ, and
//
//	|Σ hᵢ·xᵢ| ≤ Σ |hᵢ|·|xᵢ| ≤ (|h₅|+|h₆|)·m + (Σ |hᵢ| over the other i)·M,
//
// where m is the larger magnitude of the two middle samples x₅ and x₆, between which the output lies, and M the
// largest of all twelve. Each of the two factors is the largest of any phase.
type interpolationBound struct {
	middle, others float64
}

func newTruePeakMeter(rateHz int) truePeakMeter {
	factor := 4
	switch {
	case rateHz > 144000:
		factor = 1
	case rateHz > 72000:
		factor = 2
	}
	var m truePeakMeter
	for p := 1; p < factor; p++ {
		phase := interpolationPhase(float64(p) / float64(factor))
		m.bound.include(&phase)
		m.phases = append(m.phases, phase)
	}
	return m
}

// interpolationPhase returns a Kaiser-windowed sinc that yields the value a fraction of a sample after the sixth of
// twelve samples, scaled to pass a constant unchanged.
func interpolationPhase(fraction float64) (phase [truePeakTaps]float64) {
	const half = truePeakTaps / 2
	const beta = 4.5
	sum := 0.0
	for i := range phase {
		t := float64(i-(half-1)) - fraction
		phase[i] = math.Sin(math.Pi*t) / (math.Pi * t) * kaiser(t/half, beta)
		sum += phase[i]
	}
	for i := range phase {
		phase[i] /= sum
	}
	return phase
}

// kaiser returns the Kaiser window at -1..1.
func kaiser(at, beta float64) float64 {
	return besselI0(beta*math.Sqrt(max(0, 1-at*at))) / besselI0(beta)
}

// besselI0 returns the modified Bessel function of the first kind, order 0, by its power series.
func besselI0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

func (b *interpolationBound) include(phase *[truePeakTaps]float64) {
	others := 0.0
	for i, h := range phase {
		if i != truePeakMiddle && i != truePeakMiddle+1 {
			others += math.Abs(h)
		}
	}
	b.middle = max(b.middle, math.Abs(phase[truePeakMiddle])+math.Abs(phase[truePeakMiddle+1]))
	b.others = max(b.others, others)
}

// write processes a block preceded by its history, and the survey of the block. It interpolates only where the peak
// can increase.
func (m *truePeakMeter) write(extended []float64, s *survey) {
	before := largest(extended[history-truePeakTaps+1 : history])
	for n, c := range s.chunks {
		if seen := max(before, c.peak); seen*(m.bound.middle+m.bound.others) > m.peak {
			from := history + n*surveyChunk
			m.interpolate(extended[from-truePeakTaps+1:min(from+surveyChunk, len(extended))], seen)
		}
		m.peak = max(m.peak, c.peak)
		before = c.peak
	}
}

// interpolate computes values between samples of which at least one is large enough to raise the peak, given the
// largest magnitude of all.
func (m *truePeakMeter) interpolate(samples []float64, largest float64) {
	for ; len(samples) >= truePeakTaps; samples = samples[1:] {
		x := (*[truePeakTaps]float64)(samples)
		middle := max(math.Abs(x[truePeakMiddle]), math.Abs(x[truePeakMiddle+1]))
		if middle*m.bound.middle+largest*m.bound.others <= m.peak {
			continue
		}
		for p := range m.phases {
			m.peak = max(m.peak, math.Abs(dot(&m.phases[p], x)))
		}
	}
}

func dot(h, x *[truePeakTaps]float64) float64 {
	return x[0]*h[0] + x[1]*h[1] + x[2]*h[2] + x[3]*h[3] + x[4]*h[4] + x[5]*h[5] +
		(x[6]*h[6] + x[7]*h[7] + x[8]*h[8] + x[9]*h[9] + x[10]*h[10] + x[11]*h[11])
}
