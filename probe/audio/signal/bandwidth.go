package signal

import "math"

const (
	minBandFrames    = 12    // of 40 ms each: about 500 ms
	minBandPower     = 6e-12 // -112 dBFS in a band: above 16-bit quantisation noise
	bandRangeDB      = 60
	bandAboveQuiet   = 2 // power ratio: 3 dB
	bandRatioFloorDB = -100
	coveredRatioDB   = -50 // an 8 kHz path leaves -49 dB and less above 4.4 kHz
	telephoneLowHz   = 300
	telephoneHighHz  = 3400
	widebandLowHz    = 4400 // not 4000: the transition band of a signal resampled from 8 kHz
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

// bandwidthHz returns the upper edge of the highest band that contains speech; nil with too little speech.
func (m *bandwidthMeter) bandwidthHz(w *wideSpectrum) *float64 {
	if m.speechFrames < minBandFrames {
		return nil
	}
	strongest := 0.0
	for b := range w.bands {
		speech, quiet := m.means(b)
		strongest = max(strongest, speech-quiet)
	}
	least := max(minBandPower, strongest*math.Pow(10, -bandRangeDB/10.0))
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

// bandRatioDB returns the speech power in 4.4-7 kHz relative to that in 0.3-3.4 kHz. It is nil with too little
// speech, or if the quiet parts are louder than speech in the upper band: noise then masks it, and the difference of
// the two would read as "nothing there". If the masking noise is weaker than the leakage of a telephone path, so is
// the speech; then the level of the noise is returned, which is an upper bound of the ratio.
func (m *bandwidthMeter) bandRatioDB(w *wideSpectrum) *float64 {
	if m.speechFrames < minBandFrames {
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

// powers returns the power of speech and of the quiet parts between two frequencies.
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
