package signal

import "math"

const (
	leastBandFrames  = 12    // of 40 ms each: about 500 ms
	leastBandPower   = 6e-12 // -112 dBFS in a band: above what 16-bit quantisation leaves there
	bandRangeDB      = 60
	bandAboveQuiet   = 2 // times the power: 3 dB
	bandRatioFloorDB = -100
	coveredRatioDB   = -50 // what a path of 8 kHz leaves above 4.4 kHz: -49 dB and less
	telephoneLowHz   = 300
	telephoneHighHz  = 3400
	widebandLowHz    = 4400 // not 4000: what resampled an 8 kHz signal leaks a little way above its band
	widebandHighHz   = 7000
	bandSmoothing    = 1 // bands on either side
)

// bandwidthMeter averages the spectra of speech and of the quiet parts.
type bandwidthMeter struct {
	speech, quiet             [maxBands]float64
	speechFrames, quietFrames int
}

func (m *bandwidthMeter) addSpeech(bands *[maxBands]float32) {
	m.speechFrames++
	for b, power := range bands {
		m.speech[b] += float64(power)
	}
}

func (m *bandwidthMeter) addQuiet(bands *[maxBands]float32) {
	m.quietFrames++
	for b, power := range bands {
		m.quiet[b] += float64(power)
	}
}

// means returns the mean speech and quiet power of band b.
func (m *bandwidthMeter) means(b int) (speech, quiet float64) {
	return m.speech[b] / float64(m.speechFrames), m.quiet[b] / float64(max(m.quietFrames, 1))
}

// bandwidthHz is the upper edge of the highest band in which speech is there; nil with too little speech.
func (m *bandwidthMeter) bandwidthHz(w *wideSpectrum) *float64 {
	if m.speechFrames < leastBandFrames {
		return nil
	}
	strongest := 0.0
	for b := range w.bands {
		speech, quiet := m.means(b)
		strongest = max(strongest, speech-quiet)
	}
	least := max(leastBandPower, strongest*math.Pow(10, -bandRangeDB/10.0))
	for b := w.bands - 1 - bandSmoothing; b >= bandSmoothing; b-- {
		var speech, quiet float64
		for k := b - bandSmoothing; k <= b+bandSmoothing; k++ {
			s, q := m.means(k)
			speech, quiet = speech+s/(2*bandSmoothing+1), quiet+q/(2*bandSmoothing+1)
		}
		if speech-quiet >= least && speech >= bandAboveQuiet*quiet {
			return new(float64(b+1) * w.bandHz)
		}
	}
	return new(0.0)
}

// bandRatioDB is the speech power in 4.4-7 kHz over that in 0.3-3.4 kHz; nil with too little speech, or
// where the quiet parts are the louder ones up there: noise or the room then covers what there may be, and
// the difference of both would say "nothing". Where what covers it is weaker than the leaks of a telephone's
// path, so is the speech, and the cover's own level is stated: the ratio is that at most.
func (m *bandwidthMeter) bandRatioDB(w *wideSpectrum) *float64 {
	if m.speechFrames < leastBandFrames {
		return nil
	}
	telephone, _ := m.powers(w, telephoneLowHz, telephoneHighHz)
	wideband, quiet := m.powers(w, widebandLowHz, widebandHighHz)
	if telephone <= 0 {
		return nil
	}
	ratio := max(bandRatioFloorDB, powerDB(max(wideband, quiet)/telephone))
	if wideband < quiet && ratio > coveredRatioDB {
		return nil
	}
	return &ratio
}

// powers are the speech's own power between two frequencies and that of the quiet parts.
func (m *bandwidthMeter) powers(w *wideSpectrum, fromHz, toHz float64) (speech, quiet float64) {
	for b := range w.bands {
		if centre := (float64(b) + 0.5) * w.bandHz; centre >= fromHz && centre <= toHz {
			s, q := m.means(b)
			speech += max(0, s-q)
			quiet += q
		}
	}
	return speech, quiet
}
