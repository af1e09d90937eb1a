package signal

import "math"

// history is how many earlier samples stand before each block given to the meters that look back.
const history = 16

const (
	truePeakTaps  = 12 // per phase, as in BS.1770-5 Annex 2
	truePeakChunk = 32
)

// truePeakMeter estimates the peak of the continuous signal by oversampling: 4 times up to 72 kHz, 2 times up
// to 144 kHz, and not at all above, where the samples themselves are dense enough (BS.1770-5 Annex 2).
type truePeakMeter struct {
	peak   float64
	phases [][truePeakTaps]float64
	gain   float64 // no phase can put out more than this times the largest sample it sees
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
		sum := 0.0
		for _, h := range phase {
			sum += math.Abs(h)
		}
		m.gain = max(m.gain, sum)
		m.phases = append(m.phases, phase)
	}
	return m
}

// interpolationPhase is a Kaiser-windowed sinc that yields the value a fraction of a sample after the sixth
// of twelve samples, scaled to pass a constant unchanged.
func interpolationPhase(fraction float64) (phase [truePeakTaps]float64) {
	const half = truePeakTaps / 2
	const beta = 4.5
	sum := 0.0
	for i := range phase {
		t := float64(i-(half-1)) - fraction
		window := besselI0(beta*math.Sqrt(max(0, 1-(t/half)*(t/half)))) / besselI0(beta)
		phase[i] = math.Sin(math.Pi*t) / (math.Pi * t) * window
		sum += phase[i]
	}
	for i := range phase {
		phase[i] /= sum
	}
	return phase
}

// besselI0 is the modified Bessel function of the first kind, order 0, by its power series.
func besselI0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

// write takes a block preceded by its history. What cannot raise the peak is not interpolated.
func (m *truePeakMeter) write(extended []float64) {
	if !m.canRaise(extended[history-truePeakTaps+1:]) {
		return
	}
	for from := history; from < len(extended); from += truePeakChunk {
		to := min(from+truePeakChunk, len(extended))
		seen := extended[from-truePeakTaps+1 : to]
		if !m.canRaise(seen) {
			continue
		}
		m.peak = max(m.peak, largest(extended[from:to]))
		for p := range m.phases {
			m.interpolate(&m.phases[p], seen)
		}
	}
}

func (m *truePeakMeter) canRaise(samples []float64) bool {
	return largest(samples)*max(m.gain, 1) > m.peak
}

// largest is the largest magnitude.
func largest(samples []float64) float64 {
	high, low := 0.0, 0.0
	for _, x := range samples {
		if x > high {
			high = x
		} else if x < low {
			low = x
		}
	}
	return max(high, -low)
}

func (m *truePeakMeter) interpolate(h *[truePeakTaps]float64, samples []float64) {
	peak := m.peak
	for ; len(samples) >= truePeakTaps; samples = samples[1:] {
		x := (*[truePeakTaps]float64)(samples)
		y := x[0]*h[0] + x[1]*h[1] + x[2]*h[2] + x[3]*h[3] + x[4]*h[4] + x[5]*h[5] +
			(x[6]*h[6] + x[7]*h[7] + x[8]*h[8] + x[9]*h[9] + x[10]*h[10] + x[11]*h[11])
		if y > peak {
			peak = y
		} else if -y > peak {
			peak = -y
		}
	}
	m.peak = peak
}
