package signal

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

const (
	humRateHz       = 1000
	humFilterHz     = 300
	humWindowS      = 0.256
	humHarmonics    = 4
	humTopHz        = 290
	humBins         = 160
	humLevels       = 132 // of 1 dB, from FloorDBFS
	humShare        = 0.1 // hum is there all the time: what a bin is above for all but this share of the time
	humLeastWindows = 6
	humAboveDB      = 10
	humLeastDBFS    = -66 // below, a low voice's own steady partials can look the same, and nobody hears it
)

// humMeter looks for mains hum: lines at 50 or 60 Hz and their harmonics that never go away. It takes no
// interest in what a bin reaches while somebody speaks, only in what it never falls below.
type humMeter struct {
	filters     [2]biquad
	decimation  int
	phase       int
	samples     []float64
	transformer *fourier.FFT
	window      []float64
	work        []float64
	spectrum    []complex128
	binHz       float64
	bins        int

	windows int
	levels  [humBins][humLevels]uint32
}

func newHumMeter(narrowRateHz float64) *humMeter {
	m := &humMeter{decimation: max(1, int(narrowRateHz/humRateHz))}
	rate := narrowRateHz / float64(m.decimation)
	length := transformLength(humWindowS * rate)
	// A fourth-order Butterworth low pass.
	m.filters[0] = lowPass(humFilterHz, 0.5412, narrowRateHz)
	m.filters[1] = lowPass(humFilterHz, 1.3066, narrowRateHz)
	m.samples = make([]float64, 0, length)
	m.transformer = fourier.NewFFT(length)
	m.window = hann(length)
	m.work = make([]float64, length)
	m.spectrum = make([]complex128, length/2+1)
	m.binHz = rate / float64(length)
	m.bins = min(humBins, int(humTopHz/m.binHz)+1, length/2)
	return m
}

func lowPass(cornerHz, q, rateHz float64) biquad {
	k := math.Tan(math.Pi * cornerHz / rateHz)
	a0 := 1 + k/q + k*k
	return biquad{b0: k * k / a0, b1: 2 * k * k / a0, b2: k * k / a0, a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0}
}

// write takes samples at the narrow rate.
func (m *humMeter) write(narrow []float64) {
	first, second := m.filters[0], m.filters[1]
	for _, x := range narrow {
		y := second.next(first.next(x))
		if m.phase++; m.phase < m.decimation {
			continue
		}
		m.phase = 0
		m.samples = append(m.samples, y)
		if len(m.samples) == cap(m.samples) {
			m.transform()
		}
	}
	first.settle()
	second.settle()
	m.filters[0], m.filters[1] = first, second
}

func (m *humMeter) transform() {
	for i, x := range m.samples {
		m.work[i] = x * m.window[i]
	}
	m.samples = m.samples[:copy(m.samples, m.samples[len(m.samples)/2:])]
	m.transformer.Coefficients(m.spectrum, m.work)
	scale := 2 / float64(len(m.work))
	for k := range m.bins {
		c := m.spectrum[k]
		level := powerDB((real(c)*real(c) + imag(c)*imag(c)) * scale)
		m.levels[k][max(0, min(humLevels-1, int(level-FloorDBFS)))]++
	}
	m.windows++
}

// hum is what was found of one mains frequency.
type hum struct {
	baseHz, levelDBFS, aboveDB float64
}

// find returns the stronger of 50 and 60 Hz hum; ok is false when neither stands out.
func (m *humMeter) find() (strongest hum, ok bool) {
	if m.windows < humLeastWindows {
		return hum{}, false
	}
	var lasting [humBins]float64
	for k := range m.bins {
		lasting[k] = m.lastingDB(k)
	}
	for _, base := range []float64{50, 60} {
		h := m.harmonics(lasting[:m.bins], base)
		if h.levelDBFS > humLeastDBFS && (!ok || h.levelDBFS > strongest.levelDBFS) {
			strongest, ok = h, true
		}
	}
	return strongest, ok
}

// lastingDB is the level bin k stays above for all but humShare of the time.
func (m *humMeter) lastingDB(k int) float64 {
	rank := uint32(humShare * float64(m.windows))
	var passed uint32
	for level, count := range m.levels[k] {
		if passed += count; passed > rank {
			return float64(level) + 0.5 + FloorDBFS
		}
	}
	return FloorDBFS
}

// harmonics adds up those of the first four harmonics that stand out of their neighbourhood.
func (m *humMeter) harmonics(lasting []float64, baseHz float64) hum {
	h := hum{baseHz: baseHz, levelDBFS: FloorDBFS}
	power := 0.0
	for n := 1; n <= humHarmonics; n++ {
		centre := int(math.Round(baseHz * float64(n) / m.binHz))
		line, above := m.line(lasting, centre)
		if above < humAboveDB {
			continue
		}
		power += line
		h.aboveDB = max(h.aboveDB, above)
	}
	h.levelDBFS = powerDB(power)
	return h
}

// line is the power of the spectral line at a bin, and how far its peak stands above the bins between here
// and the next line. The Hann window spreads a line over three to four bins.
func (m *humMeter) line(lasting []float64, centre int) (power, aboveDB float64) {
	const clear = 4 // bins away the window's main lobe has ended
	reach := int(22 / m.binHz)
	if centre-reach < 1 || centre+reach >= len(lasting) {
		return 0, 0
	}
	peak, neighbour := float64(FloorDBFS), 0.0
	for k := centre - 2; k <= centre+2; k++ {
		if math.Abs(float64(k-centre)) <= 1 {
			peak = max(peak, lasting[k])
		}
		power += math.Pow(10, lasting[k]/10)
	}
	loudest := float64(FloorDBFS)
	count := 0.0
	for distance := clear; distance <= reach; distance++ {
		for _, k := range [2]int{centre - distance, centre + distance} {
			neighbour += math.Pow(10, lasting[k]/10)
			count++
			loudest = max(loudest, lasting[k])
		}
	}
	if count == 0 || loudest > peak {
		return 0, 0
	}
	return power, peak - powerDB(neighbour/count)
}
