package voices

import "math"

// Steps that shape the voice before it reaches the microphone, and processing by healthy
// devices. They are applied while the take is mono.

// lead adds silence before and after the voice, in seconds.
func lead(before, after float64) step {
	return func(t *take) {
		for c, samples := range t.channels {
			padded := make([]float64, t.seconds(before)+len(samples)+t.seconds(after))
			copy(padded[t.seconds(before):], samples)
			t.channels[c] = padded
		}
	}
}

// cut keeps the first seconds.
func cut(seconds float64) step {
	return func(t *take) {
		for c, samples := range t.channels {
			t.channels[c] = samples[:min(len(samples), t.seconds(seconds))]
		}
	}
}

// pauses inserts a pause after each period of the voice, at the quietest nearby moment.
func pauses(every, length float64) step {
	return func(t *take) {
		for c, samples := range t.channels {
			var out []float64
			for len(samples) > t.seconds(every+0.3) {
				at := quietest(samples, t.seconds(every-0.3), t.seconds(every+0.3), t.seconds(0.02))
				out = append(out, samples[:at]...)
				out = append(out, make([]float64, t.seconds(length))...)
				samples = samples[at:]
			}
			t.channels[c] = append(out, samples...)
		}
	}
}

// quietest returns the middle of the window with the least energy between two positions.
func quietest(samples []float64, from, to, window int) int {
	best, least := from, math.Inf(1)
	for at := from; at+window <= to; at += window / 2 {
		if energy := rms(samples[at : at+window]); energy < least {
			best, least = at+window/2, energy
		}
	}
	return best
}

// lively varies the level smoothly by half of rangeDB in alternating segments of 0.7 s.
func lively(rangeDB float64) step {
	return func(t *take) {
		t.each(func(samples []float64) {
			for i := range samples {
				samples[i] *= amplitude(rangeDB / 2 * math.Sin(2*math.Pi*float64(i)/float64(t.rateHz)/1.4))
			}
		})
	}
}

// reverb adds reverberation by Schroeder's four comb and two all-pass filters (1962),
// with a reverberation time and a level relative to the direct sound.
func reverb(t60 float64, relativeDB float64) step {
	return func(t *take) {
		t.each(func(samples []float64) {
			wet := make([]float64, len(samples))
			for _, delayS := range []float64{0.0297, 0.0371, 0.0411, 0.0437} {
				delay := t.seconds(delayS)
				feedback := math.Pow(10, -3*delayS/t60)
				comb := make([]float64, len(samples))
				for i := range samples {
					if i >= delay {
						comb[i] = samples[i-delay] + feedback*comb[i-delay]
					}
					wet[i] += comb[i]
				}
			}
			for _, delayS := range []float64{0.005, 0.0017} {
				wet = allPass(wet, t.seconds(delayS), 0.7)
			}
			factor := amplitude(relativeDB) * rms(samples) / rms(wet)
			for i := range samples {
				samples[i] += factor * wet[i]
			}
		})
	}
}

func allPass(in []float64, delay int, g float64) []float64 {
	out := make([]float64, len(in))
	for i, x := range in {
		out[i] = -g * x
		if i >= delay {
			out[i] += in[i-delay] + g*out[i-delay]
		}
	}
	return out
}

// tilt raises or lowers the treble with a shelf from 2 kHz, like cheap or close
// microphones.
func tilt(trebleDB float64) step {
	return func(t *take) {
		pole := math.Exp(-2 * math.Pi * 2000 / float64(t.rateHz))
		t.each(func(samples []float64) {
			low := 0.0
			for i, x := range samples {
				low = pole*low + (1-pole)*x
				samples[i] = low + amplitude(trebleDB)*(x-low)
			}
		})
	}
}

// highPass is a first-order filter against rumble, as in headsets.
func highPass(cornerHz float64) step {
	return func(t *take) {
		pole := math.Exp(-2 * math.Pi * cornerHz / float64(t.rateHz))
		t.each(func(samples []float64) {
			low := 0.0
			for i, x := range samples {
				low = pole*low + (1-pole)*x
				samples[i] = x - low
			}
		})
	}
}

// gainControl is an automatic gain control with an attack of 10 ms, a release of one
// second and a range of reachDB. It raises the room noise in the pauses.
func gainControl(targetDBFS, reachDB float64) step {
	return func(t *take) {
		down := 1 - math.Exp(-1/(0.010*float64(t.rateHz)))
		up := 1 - math.Exp(-1/(1.0*float64(t.rateHz)))
		t.each(func(samples []float64) {
			envelope := amplitude(targetDBFS)
			for i, x := range samples {
				rate := up
				if math.Abs(x) > envelope {
					rate = down
				}
				envelope += rate * (math.Abs(x) - envelope)
				samples[i] = x * min(amplitude(reachDB), amplitude(targetDBFS-8)/max(envelope, 1e-6))
			}
		})
	}
}

// gate attenuates by attenuationDB, smoothly, when the level has been below a threshold
// for 100 ms, like the noise suppression of a headset. From -100 dB on it mutes.
func gate(thresholdDBFS, attenuationDB float64) step {
	return gateOf(thresholdDBFS, attenuationDB, 0.1, 0.01)
}

// gateOf is a gate with a hold time and a fade time.
func gateOf(thresholdDBFS, attenuationDB, holdS, fadeS float64) step {
	return func(t *take) {
		closed := amplitude(attenuationDB)
		if attenuationDB <= -100 {
			closed = 0
		}
		glide := 1 / (fadeS * float64(t.rateHz))
		t.each(func(samples []float64) {
			open, sinceLoud, envelope := 1.0, 0, 0.0
			for i, x := range samples {
				envelope = max(math.Abs(x), envelope*(1-1/(0.02*float64(t.rateHz))))
				if sinceLoud++; envelope > amplitude(thresholdDBFS) {
					sinceLoud = 0
				}
				if sinceLoud > t.seconds(holdS) {
					open = max(closed, open-glide)
				} else {
					open = min(1, open+5*glide)
				}
				samples[i] = x * open
			}
		})
	}
}

// limiter raises the voice to an active level and keeps its peaks below a ceiling by a
// gain that changes within 5 ms, which avoids clipping.
func limiter(activeDBFS, ceilingDBFS float64) step {
	return func(t *take) {
		for range 6 {
			level(activeDBFS)(t)
			t.each(func(samples []float64) { limit(samples, amplitude(ceilingDBFS), t.seconds(0.005)) })
		}
	}
}

func limit(samples []float64, ceiling float64, reach int) {
	wanted := make([]float64, len(samples))
	for i := range wanted {
		wanted[i] = 1
	}
	for i, x := range samples {
		if math.Abs(x) <= ceiling {
			continue
		}
		for k := max(0, i-reach); k <= min(len(samples)-1, i+reach); k++ {
			wanted[k] = min(wanted[k], ceiling/math.Abs(x))
		}
	}
	// The mean over the same range never exceeds the gain for the peak in its middle.
	sum, count := 0.0, 0
	smooth := make([]float64, len(samples))
	for i := -reach; i < len(samples); i++ {
		if in := i + reach; in < len(samples) {
			sum += wanted[in]
			count++
		}
		if out := i - reach - 1; out >= 0 {
			sum -= wanted[out]
			count--
		}
		if i >= 0 {
			smooth[i] = sum / float64(count)
		}
	}
	for i := range samples {
		samples[i] *= smooth[i]
	}
}

// pair duplicates the channel.
func pair(t *take) {
	t.channels = append(t.channels, append([]float64(nil), t.channels[0]...))
}

// apart simulates two spaced microphones: the second channel is delayed and softer.
func apart(delayMS, softerDB float64) step {
	return func(t *take) {
		pair(t)
		delay := t.seconds(delayMS / 1000)
		for i := range t.channels[1] {
			t.channels[1][i] = 0
			if i >= delay {
				t.channels[1][i] = amplitude(-softerDB) * t.channels[0][i-delay]
			}
		}
	}
}

// startsLate replaces the first seconds by zeros, like drivers that start slowly.
func startsLate(seconds float64) step {
	return func(t *take) {
		t.each(func(samples []float64) { clear(samples[:t.seconds(seconds)]) })
	}
}

// breath adds breath noise to the voice at a level relative to it.
func breath(relativeDB float64) step {
	return func(t *take) {
		t.each(func(samples []float64) {
			air := make([]float64, len(samples))
			envelope, before := 0.0, 0.0
			for i, x := range samples {
				envelope += (math.Abs(x) - envelope) / (0.01 * float64(t.rateHz))
				n := t.random.NormFloat64()
				air[i] = envelope * (n - 0.7*before)
				before = n
			}
			factor := amplitude(relativeDB) * rms(samples) / rms(air)
			for i := range samples {
				samples[i] += factor * air[i]
			}
		})
	}
}

// neighbour adds distant speech of another person: the voice itself, reversed.
func neighbour(relativeDB float64) step {
	return func(t *take) {
		t.each(func(samples []float64) {
			for i, k := 0, len(samples)-1; i <= k; i, k = i+1, k-1 {
				first, last := samples[i], samples[k]
				samples[i] += amplitude(relativeDB) * last
				samples[k] += amplitude(relativeDB) * first
			}
		})
	}
}
