package signal

import "math"

// voiceBandHz is the lower end of the band that conference programs transmit: the corner of the high pass of WebRTC's
// audio processing, a second-order Butterworth filter (modules/audio_processing/high_pass_filter.cc).
const voiceBandHz = 100

// voiceBand is that high pass, and the level of speech behind it. It removes rumble: footsteps, traffic and ventilation
// that a table conducts to the microphone, and that no participant hears.
type voiceBand struct {
	filter biquad
	block  []float64
	p56    p56Meter
}

func newVoiceBand(rateHz int) voiceBand {
	return voiceBand{filter: highPass(voiceBandHz, math.Sqrt2/2, float64(rateHz)), block: make([]float64, blockFrames), p56: newP56Meter(rateHz)}
}

func highPass(cornerHz, q, rateHz float64) biquad {
	k := math.Tan(math.Pi * cornerHz / rateHz)
	a0 := 1 + k/q + k*k
	return biquad{b0: 1 / a0, b1: -2 / a0, b2: 1 / a0, a1: 2 * (k*k - 1) / a0, a2: (1 - k/q + k*k) / a0}
}

// of returns the voice band of a block. The next call overwrites it.
func (v *voiceBand) of(ac []float64) []float64 {
	filter, block := v.filter, v.block[:len(ac)]
	for i, x := range ac {
		block[i] = filter.next(x)
	}
	filter.settle()
	v.filter = filter
	v.p56.write(block)
	return block
}
