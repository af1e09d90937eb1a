package voices

import "math"

// colour generates noise of a kind.
type colour func(t *take, length int) []float64

func white(t *take, length int) []float64 {
	out := make([]float64, length)
	for i := range out {
		out[i] = t.random.NormFloat64()
	}
	return out
}

// pink returns noise that falls by 3 dB per octave, like typical room noise. It is the sum of
// six first-order low passes, two octaves apart.
func pink(t *take, length int) []float64 {
	var poles, weights, states [6]float64
	for k := range poles {
		cornerHz := 20 * math.Pow(4, float64(k))
		poles[k] = math.Exp(-2 * math.Pi * min(cornerHz/float64(t.rateHz), 0.45))
		weights[k] = (1 - poles[k]) / math.Sqrt(cornerHz)
	}
	out := make([]float64, length)
	for i := range out {
		x := t.random.NormFloat64()
		for k := range states {
			states[k] = poles[k]*states[k] + weights[k]*x
			out[i] += states[k]
		}
	}
	return out
}

// fan is the noise of a laptop fan or an air conditioner: noise that falls above 500 Hz,
// and the tone of the blades with a varying pitch.
func fan(t *take, length int) []float64 {
	pole := math.Exp(-2 * math.Pi * 500 / float64(t.rateHz))
	out := make([]float64, length)
	low, phase := 0.0, 0.0
	for i := range out {
		low = pole*low + (1-pole)*t.random.NormFloat64()
		seconds := float64(i) / float64(t.rateHz)
		phase += 2 * math.Pi * (233 + 4*math.Sin(2*math.Pi*0.7*seconds)) / float64(t.rateHz)
		out[i] = low + 0.03*math.Sin(phase)
	}
	return out
}

// traffic is the rumble of a street: it falls by 18 dB per octave above 30 Hz.
func traffic(t *take, length int) []float64 { return rumble(t, length, 0, 30, 3) }

// ventilation is the rumble of an air conditioning or a compressor, around 50 Hz. Unlike that of
// traffic it has an even level.
func ventilation(t *take, length int) []float64 { return rumble(t, length, 40, 60, 4) }

// rumble is noise below highHz behind a number of first-order low passes, and above lowHz behind as
// many high passes.
func rumble(t *take, length int, lowHz, highHz float64, order int) []float64 {
	high := math.Exp(-2 * math.Pi * highHz / float64(t.rateHz))
	low := math.Exp(-2 * math.Pi * lowHz / float64(t.rateHz))
	highs, lows := make([]float64, order), make([]float64, order)
	out := make([]float64, length)
	for i := range out {
		x := t.random.NormFloat64()
		for k := range order {
			highs[k] = high*highs[k] + (1-high)*x
			x = highs[k]
			lows[k] = low*lows[k] + (1-low)*x
			if lowHz > 0 {
				x -= lows[k]
			}
		}
		out[i] = x
	}
	return out
}

// footsteps adds two thumps a second with a peak level, as a wooden floor conducts them.
func footsteps(peakDBFS float64) step {
	return func(t *take) {
		for at := 0.2; t.seconds(at) < t.frames(); at += 0.45 + 0.1*t.random.Float64() {
			from := t.seconds(at)
			for i := from; i < min(t.frames(), from+t.seconds(0.4)); i++ {
				seconds := float64(i-from) / float64(t.rateHz)
				x := amplitude(peakDBFS) * math.E * seconds / 0.05 * math.Exp(-seconds/0.05) * math.Sin(2*math.Pi*28*seconds)
				t.each(func(samples []float64) { samples[i] += x })
			}
		}
	}
}

// noise adds independent noise of an RMS level to each channel.
func noise(kind colour, dBFS float64) step {
	return func(t *take) {
		for _, samples := range t.channels {
			added := kind(t, len(samples))
			factor := amplitude(dBFS) / rms(added)
			for i, x := range added {
				samples[i] += factor * x
			}
		}
	}
}

// room adds the noise of a quiet room and a good microphone.
func room(dBFS float64) step { return noise(pink, dBFS) }

// hum adds mains hum of an RMS level with harmonics, each 6 dB below the previous one.
func hum(baseHz float64, harmonics int, dBFS float64) step {
	return func(t *take) {
		line := make([]float64, t.frames())
		for h := 1; h <= harmonics; h++ {
			phase := t.random.Float64() * 2 * math.Pi
			step := 2 * math.Pi * baseHz * float64(h) / float64(t.rateHz)
			for i := range line {
				line[i] += math.Pow(0.5, float64(h-1)) * math.Sin(step*float64(i)+phase)
			}
		}
		factor := amplitude(dBFS) / rms(line)
		t.each(func(samples []float64) {
			for i, x := range line {
				samples[i] += factor * x
			}
		})
	}
}

// typing adds three keystrokes a second: short bursts with a peak level.
func typing(peakDBFS float64) step {
	return func(t *take) {
		decay := math.Exp(-1 / (0.004 * float64(t.rateHz)))
		stroke := 0.0
		for i := range t.channels[0] {
			if t.random.Float64() < 3/float64(t.rateHz) {
				stroke = 1
			}
			stroke *= decay
			burst := stroke * t.random.NormFloat64() * amplitude(peakDBFS) / 3
			t.each(func(samples []float64) { samples[i] += burst })
		}
	}
}

// knock adds one knock on the table with a peak level.
func knock(atSecond, peakDBFS float64) step {
	return func(t *take) {
		from := t.seconds(atSecond)
		for i := from; i < min(t.frames(), from+t.seconds(0.3)); i++ {
			seconds := float64(i-from) / float64(t.rateHz)
			x := amplitude(peakDBFS) * math.Exp(-seconds/0.03) * math.Cos(2*math.Pi*140*seconds)
			t.each(func(samples []float64) { samples[i] += x })
		}
	}
}
