package signal

import (
	"math"
	"slices"
)

const (
	humRateHz            = 1000
	humFilterHz          = 300
	humWindowS           = 0.256
	humHarmonics         = 4
	humTopHz             = 290
	humBins              = 160
	humLevels            = 132  // of 1 dB, from FloorDBFS
	humPending           = 20   // windows, 2.6 s: longer than frames wait for their classification
	humQuietWindows      = 2    // from this number on only quiet windows count
	humQuietShare        = 0.25 // quantile of their levels: some contain residual sound
	humAllWindows        = 6
	humSteadyDB          = 6 // between median and lowest tenth: hum heard through a voice varies less
	humRecentSteadyDB    = 3 // the same for the latest windows alone
	humRecentAboveDB     = 15
	humOffCentreBins     = 0.35 // mains hum is at its nominal frequency; the pitch of a voice is near it by chance only
	humAboveDB           = 10
	humThroughVoiceShare = 0.35 // quantile of the levels of a steady line: a voice mostly adds to it
	humLeastDBFS         = -66  // inaudible below this level
)

// humMeter detects mains hum: lines at 50 or 60 Hz and their harmonics. A low voice has such lines too, so they are
// looked for in the quiet parts. If there are none, because the voice never pauses or the hum itself is classified
// as a voice, only a line that does not vary counts, at exactly the mains frequency. Hum that began in the middle is
// found in the latest windows alone.
type humMeter struct {
	filters     [2]biquad
	decimation  int
	phase       int
	samples     []float64
	transformer *transform
	window      []float64
	work        []float64
	spectrum    []complex128
	binHz       float64
	bins        int

	frames     int // written so far
	spanFrames int // frames per window
	pending    [humPending]humWindow
	made       int // number of windows
	settled    int // windows classified as quiet or not

	all, quiet humLevelCounts
}

// humWindow is the spectrum of one window in levels of 1 dB, and the frame at its end.
type humWindow struct {
	lastFrame int
	levels    [humBins]uint8
}

// humLevelCounts is a histogram of levels for each bin.
type humLevelCounts struct {
	windows uint32
	counts  [humBins][humLevels]uint32
}

func (c *humLevelCounts) add(w *humWindow) {
	c.windows++
	for k, level := range w.levels {
		c.counts[k][level]++
	}
}

// quantile returns the level in dBFS that bin k does not exceed in that share of the windows.
func (c *humLevelCounts) quantile(k int, share float64) float64 {
	rank := uint32(share * float64(c.windows))
	var passed uint32
	for level, count := range c.counts[k] {
		if passed += count; passed > rank {
			return float64(level) + 0.5 + FloorDBFS
		}
	}
	return FloorDBFS
}

func newHumMeter(narrowRateHz float64) *humMeter {
	m := &humMeter{decimation: max(1, int(narrowRateHz/humRateHz))}
	rate := narrowRateHz / float64(m.decimation)
	length := transformLength(humWindowS * rate)
	// A fourth-order Butterworth low pass.
	m.filters[0] = lowPass(humFilterHz, 0.5412, narrowRateHz)
	m.filters[1] = lowPass(humFilterHz, 1.3066, narrowRateHz)
	m.samples = make([]float64, 0, length)
	m.transformer = newTransform(length)
	m.window = hann(length)
	m.work = make([]float64, length)
	m.spectrum = make([]complex128, length/2+1)
	m.binHz = rate / float64(length)
	m.bins = min(humBins, int(humTopHz/m.binHz)+1, length/2)
	m.spanFrames = int(math.Ceil(float64(length)/rate/(frameWindowS/2))) + 1
	return m
}

func lowPass(cornerHz, q, rateHz float64) biquad {
	k := math.Tan(math.Pi * cornerHz / rateHz)
	a0 := 1 + k/q + k*k
	return biquad{b0: k * k / a0, b1: 2 * k * k / a0, b2: k * k / a0, a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0}
}

// write processes the samples of one frame, at narrowRateHz.
func (m *humMeter) write(narrow []float64) {
	m.frames++
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
	m.transformer.forward(m.spectrum, m.work)
	w := &m.pending[m.made%humPending]
	w.lastFrame = m.frames
	scale := 2 / float64(len(m.work))
	for k := range m.bins {
		c := m.spectrum[k]
		level := powerDB((real(c)*real(c) + imag(c)*imag(c)) * scale)
		w.levels[k] = uint8(max(0, min(humLevels-1, int(level-FloorDBFS))))
	}
	m.all.add(w)
	m.made++
}

// settle receives the number of classified frames, and how many of the last of them were quiet.
func (m *humMeter) settle(decided, quietRun int) {
	for m.settled < m.made {
		w := &m.pending[m.settled%humPending]
		if w.lastFrame > decided {
			return
		}
		if quietRun-(decided-w.lastFrame) >= m.spanFrames {
			m.quiet.add(w)
		}
		m.settled++
	}
}

// humLines contains the statistics of each bin.
type humLines struct {
	lasting [humBins]float64 // the level that is almost always reached: other sounds come and go
	typical [humBins]float64 // the assumed level of a line: a voice increases it as often as it reduces it
	steady  [humBins]bool

	aboveDB   float64 // required level above the neighbourhood
	offCentre float64 // allowed distance from the mains frequency in bins
}

// hum is the result for one mains frequency.
type hum struct {
	baseHz, levelDBFS, aboveDB float64
}

// find returns the stronger of 50 and 60 Hz hum; ok is false if neither stands out.
func (m *humMeter) find() (strongest hum, ok bool) {
	var lines humLines
	switch {
	case m.quiet.windows >= humQuietWindows:
		m.quietLines(&lines)
	case m.all.windows >= humAllWindows:
		m.allLines(&lines)
	default:
		return hum{}, false
	}
	if strongest, ok = m.strongest(&lines); ok || m.made < humPending {
		return strongest, ok
	}
	m.recentLines(&lines)
	return m.strongest(&lines)
}

func (m *humMeter) quietLines(lines *humLines) {
	lines.aboveDB, lines.offCentre = humAboveDB, 1
	for k := range m.bins {
		lines.lasting[k], lines.typical[k], lines.steady[k] = m.quiet.quantile(k, humQuietShare), m.quiet.quantile(k, 0.5), true
	}
}

func (m *humMeter) allLines(lines *humLines) {
	lines.aboveDB, lines.offCentre = humAboveDB, humOffCentreBins
	for k := range m.bins {
		lines.lasting[k], lines.typical[k] = m.all.quantile(k, 0.1), m.all.quantile(k, humThroughVoiceShare)
		lines.steady[k] = m.all.quantile(k, 0.5)-lines.lasting[k] <= humSteadyDB
	}
}

// recentLines uses the latest windows alone. Because they are few, the limits are stricter.
func (m *humMeter) recentLines(lines *humLines) {
	lines.aboveDB, lines.offCentre = humRecentAboveDB, humOffCentreBins
	var levels [humPending]uint8
	for k := range m.bins {
		for i := range m.pending {
			levels[i] = m.pending[i].levels[k]
		}
		slices.Sort(levels[:])
		at := func(share float64) float64 { return float64(levels[int(share*humPending)]) + 0.5 + FloorDBFS }
		lines.lasting[k], lines.typical[k] = at(0.1), at(humThroughVoiceShare)
		lines.steady[k] = at(0.5)-lines.lasting[k] <= humRecentSteadyDB
	}
}

// strongest returns the louder of the two mains frequencies among the lines.
func (m *humMeter) strongest(lines *humLines) (strongest hum, ok bool) {
	for _, base := range []float64{50, 60} {
		h := m.harmonics(lines, base)
		if h.levelDBFS > humLeastDBFS && (!ok || h.levelDBFS > strongest.levelDBFS) {
			strongest, ok = h, true
		}
	}
	return strongest, ok
}

// harmonics adds the powers of those of the first four harmonics that stand out.
func (m *humMeter) harmonics(lines *humLines, baseHz float64) hum {
	h := hum{baseHz: baseHz, levelDBFS: FloorDBFS}
	power := 0.0
	for n := 1; n <= humHarmonics; n++ {
		exact := baseHz * float64(n) / m.binHz
		centre := int(math.Round(exact))
		above := m.above(lines.lasting[:m.bins], centre)
		if above < lines.aboveDB || !lines.steady[centre] || math.Abs(middle(lines.lasting[:], centre)-exact) > lines.offCentre {
			continue
		}
		for _, level := range lines.typical[centre-2 : centre+3] {
			power += math.Pow(10, level/10)
		}
		h.aboveDB = max(h.aboveDB, above)
	}
	h.levelDBFS = powerDB(power)
	return h
}

// middle returns the centre of gravity of the line around a bin, in bins. For a Hann window this is its frequency.
func middle(levels []float64, centre int) float64 {
	power, moment := 0.0, 0.0
	for k := centre - 2; k <= centre+2; k++ {
		p := math.Pow(10, levels[k]/10)
		power += p
		moment += p * float64(k)
	}
	return moment / power
}

// above returns the level of the spectral line at a bin relative to the bins between this line and the next. The
// Hann window spreads a line over three to four bins.
func (m *humMeter) above(lasting []float64, centre int) float64 {
	const clear = 4 // number of bins after which the main lobe of the window has ended
	reach := int(22 / m.binHz)
	if centre-reach < 1 || centre+reach >= len(lasting) {
		return 0
	}
	peak, neighbour := float64(FloorDBFS), 0.0
	for k := centre - 1; k <= centre+1; k++ {
		peak = max(peak, lasting[k])
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
		return 0
	}
	return peak - powerDB(neighbour/count)
}
