package voices

import (
	"math"
	"slices"
)

// Steps that add a fault of a known strength.

// clip amplifies the voice so that sharePct of all samples exceed full scale, clips it,
// and then reduces the gain by thenDB.
func clip(sharePct, thenDB float64) step {
	return func(t *take) {
		var magnitudes []float64
		t.each(func(samples []float64) {
			for _, x := range samples {
				magnitudes = append(magnitudes, math.Abs(x))
			}
		})
		slices.Sort(magnitudes)
		edge := magnitudes[int(float64(len(magnitudes))*(1-sharePct/100))]
		t.each(func(samples []float64) {
			for i, x := range samples {
				samples[i] = amplitude(thenDB) * max(-1, min(1, x/edge))
			}
		})
	}
}

func offset(dc float64) step {
	return func(t *take) {
		t.each(func(samples []float64) {
			for i := range samples {
				samples[i] += dc
			}
		})
	}
}

// toRate resamples to another rate.
func toRate(hz int) step {
	return func(t *take) {
		for c, samples := range t.channels {
			t.channels[c] = resample(samples, float64(t.rateHz), float64(hz))
		}
		t.rateHz = hz
	}
}

// telephone passes the voice through a path of 8 kHz.
func telephone(t *take) {
	hz := t.rateHz
	toRate(8000)(t)
	toRate(hz)(t)
}

// muLaw applies the companding of G.711 as a continuous curve with 8 bits.
func muLaw(t *take) {
	const mu = 255
	t.each(func(samples []float64) {
		for i, x := range samples {
			y := math.Copysign(math.Log1p(mu*min(1, math.Abs(x)))/math.Log1p(mu), x)
			y = math.Round(y*127) / 127
			samples[i] = math.Copysign(math.Expm1(math.Abs(y)*math.Log1p(mu))/mu, y)
		}
	})
}

// lowPass removes the voice above a frequency, with 80 dB of attenuation.
func lowPass(hz float64) step {
	return func(t *take) {
		if 2*hz >= float64(t.rateHz) {
			return
		}
		for c, samples := range t.channels {
			narrow := resample(samples, float64(t.rateHz), 2*hz)
			t.channels[c] = resample(narrow, 2*hz, float64(t.rateHz))
		}
	}
}

// dead replaces a channel by noise of the given level; -120 means zeros.
func dead(channel int, dBFS float64) step {
	return func(t *take) {
		clear(t.channels[channel])
		if dBFS > -120 {
			one := take{rateHz: t.rateHz, channels: t.channels[channel : channel+1], random: t.random}
			noise(white, dBFS)(&one)
		}
	}
}

// inverted inverts the second channel.
func inverted(softerDB float64) step {
	return func(t *take) {
		for i, x := range t.channels[1] {
			t.channels[1][i] = -amplitude(-softerDB) * x
		}
	}
}

// gaps replaces count segments spread over the voice by zeros.
func gaps(count int, ms float64) step {
	return func(t *take) {
		left, length, around := count, t.seconds(ms/1000), t.seconds(0.03)
		lost := make([]bool, t.frames())
		loud := amplitude(t.activeDBFS() - 12)
		for range 20000 {
			if left == 0 {
				return
			}
			from := around + t.random.IntN(t.frames()-length-2*around)
			voice := t.channels[0]
			if rms(voice[from-around:from]) < loud || rms(voice[from+length:from+length+around]) < loud || nearLost(lost, from, length, around) {
				continue
			}
			t.each(func(samples []float64) { clear(samples[from : from+length]) })
			for i := from; i < from+length; i++ {
				lost[i] = true
			}
			t.lost = append(t.lost, stretch{from, from + length})
			left--
		}
	}
}

func nearLost(lost []bool, from, length, margin int) bool {
	for i := max(0, from-margin); i < min(len(lost), from+length+margin); i++ {
		if lost[i] {
			return true
		}
	}
	return false
}

// lostBuffers replaces each buffer of the given length by zeros with probability share.
func lostBuffers(share, ms float64) step {
	return func(t *take) {
		length := t.seconds(ms / 1000)
		for from := 0; from+length <= t.frames(); from += length {
			if t.random.Float64() < share {
				t.each(func(samples []float64) { clear(samples[from : from+length]) })
				t.lost = append(t.lost, stretch{from, from + length})
			}
		}
	}
}

// silent replaces everything from a second on by zeros.
func silent(fromSecond float64) step {
	return func(t *take) {
		t.each(func(samples []float64) { clear(samples[min(len(samples), t.seconds(fromSecond)):]) })
	}
}
