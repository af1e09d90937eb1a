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
	humPending           = 20   // windows, 2.6 s: more than frames wait for their verdict
	humQuietWindows      = 2    // from which on only the quiet ones count
	humQuietShare        = 0.25 // the quantile of their levels: some are not as quiet as they were taken to be
	humAllWindows        = 6
	humSteadyDB          = 6 // a hum that is heard through a voice varies less between its median and lowest tenth
	humRecentSteadyDB    = 3 // the same where only the latest windows have it
	humRecentAboveDB     = 15
	humOffCentreBins     = 0.35 // the mains keep their frequency; the pitch of a voice is next to it by chance
	humAboveDB           = 10
	humThroughVoiceShare = 0.35 // the quantile of a steady line's levels: through a voice, that mostly adds to it
	humLeastDBFS         = -66  // below, nobody hears it
)

// humMeter looks for mains hum: lines at 50 or 60 Hz and their harmonics. A low voice has such lines as
// well, so they are looked for in the quiet parts; where there are none, because the voice never pauses or
// the hum itself buzzes like a voice, only a line that never varies counts, at exactly the mains' frequency. One
// that began in the middle shows in the latest windows alone.
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
	spanFrames int // that a window reaches over
	pending    [humPending]humWindow
	made       int // windows
	settled    int // windows counted as quiet or not

	all, quiet humLevelCounts
}

// humWindow is the spectrum of one window, in levels of 1 dB, and the frame it ended with.
type humWindow struct {
	lastFrame int
	levels    [humBins]uint8
}

// humLevelCounts counts how often each bin had each level.
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

// quantile is the level in dBFS that bin k is below for that share of the windows.
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

// write takes the samples of one frame, at the narrow rate.
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

// settle is told how many frames have their verdict, and how many of the last of them were quiet.
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

// humLines is what is known of each bin.
type humLines struct {
	lasting [humBins]float64 // the level that is nearly always reached: what is no hum comes and goes
	typical [humBins]float64 // the level a line is taken to have: on top of it, a voice adds as often as it takes away
	steady  [humBins]bool

	aboveDB   float64 // that a line must stand out by
	offCentre float64 // bins that it may be beside the mains' frequency
}

// hum is what was found of one mains frequency.
type hum struct {
	baseHz, levelDBFS, aboveDB float64
}

// find returns the stronger of 50 and 60 Hz hum; ok is false when neither stands out.
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

// recentLines looks at the latest windows alone. They are few, so that more is asked of a line.
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

// strongest is the louder of the two mains frequencies among the lines.
func (m *humMeter) strongest(lines *humLines) (strongest hum, ok bool) {
	for _, base := range []float64{50, 60} {
		h := m.harmonics(lines, base)
		if h.levelDBFS > humLeastDBFS && (!ok || h.levelDBFS > strongest.levelDBFS) {
			strongest, ok = h, true
		}
	}
	return strongest, ok
}

// harmonics adds up those of the first four harmonics that stand out of their neighbourhood.
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

// middle is where the line around a bin has its centre of gravity, in bins. That of a Hann window's is its
// frequency.
func middle(levels []float64, centre int) float64 {
	power, moment := 0.0, 0.0
	for k := centre - 2; k <= centre+2; k++ {
		p := math.Pow(10, levels[k]/10)
		power += p
		moment += p * float64(k)
	}
	return moment / power
}

// above is how far the peak of the spectral line at a bin stands above the bins between here and the next
// line. The Hann window spreads a line over three to four bins.
func (m *humMeter) above(lasting []float64, centre int) float64 {
	const clear = 4 // bins away the window's main lobe has ended
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
