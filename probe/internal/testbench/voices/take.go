package voices

import (
	"math"
	"math/rand/v2"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
)

// take is a recording during generation: samples by channel, ±1 being full scale.
type take struct {
	rateHz   int
	channels [][]float64
	random   *rand.Rand
	lost     []stretch // removed from the signal
}

// stretch is a range of samples.
type stretch struct{ from, to int }

// step is one stage of the path from the mouth to the program.
type step func(*take)

// each applies f to every channel.
func (t *take) each(f func(samples []float64)) {
	for _, samples := range t.channels {
		f(samples)
	}
}

func (t *take) frames() int { return len(t.channels[0]) }

// part returns a copy of a range of the recording.
func (t *take) part(s stretch) *take {
	p := &take{rateHz: t.rateHz, random: t.random}
	for _, samples := range t.channels {
		p.channels = append(p.channels, samples[s.from:s.to])
	}
	for _, l := range t.lost {
		if l.from >= s.from && l.to <= s.to {
			p.lost = append(p.lost, stretch{l.from - s.from, l.to - s.from})
		}
	}
	return p
}

// seconds converts seconds to a number of samples.
func (t *take) seconds(s float64) int { return int(s * float64(t.rateHz)) }

func (t *take) peak() float64 {
	peak := 0.0
	for _, samples := range t.channels {
		for _, x := range samples {
			peak = max(peak, math.Abs(x))
		}
	}
	return peak
}

// activeDBFS returns the active level of the first channel (ITU-T P.56).
func (t *take) activeDBFS() float64 {
	return signal.ActiveSpeechLevel(narrowed(t.channels[0]), t.rateHz).ActiveDBFS
}

func (t *take) scale(factor float64) {
	t.each(func(samples []float64) {
		for i := range samples {
			samples[i] *= factor
		}
	})
}

func amplitude(dB float64) float64 { return math.Pow(10, dB/20) }

func rms(samples []float64) float64 {
	sum := 0.0
	for _, x := range samples {
		sum += x * x
	}
	return math.Sqrt(sum / float64(max(len(samples), 1)))
}

// level sets the active level of the voice so far.
func level(dBFS float64) step {
	return func(t *take) { t.scale(amplitude(dBFS - t.activeDBFS())) }
}

func gain(dB float64) step {
	return func(t *take) { t.scale(amplitude(dB)) }
}

// sixteenBits quantises like a sound card; values beyond full scale are clipped.
func sixteenBits(t *take) {
	t.each(func(samples []float64) {
		for i, x := range samples {
			samples[i] = max(-32768, min(32767, math.Round(x*32768))) / 32768
		}
	})
}

// interleaved returns the samples as a program receives them.
func (t *take) interleaved() []float32 {
	out := make([]float32, 0, t.frames()*len(t.channels))
	for i := range t.frames() {
		for _, samples := range t.channels {
			out = append(out, float32(samples[i]))
		}
	}
	return out
}
