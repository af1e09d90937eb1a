package signal

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// benchSound returns a voice of the given length with 16 bits, as from a sound
// card. The second channel of stereo is softer and has its own noise, so that the
// channels differ.
func benchSound(f Format, seconds float64) []float32 {
	voice := addNoise(syllables(f.RateHz, seconds, 120, 0.2), -66)
	other := addNoise(syllables(f.RateHz, seconds, 120, 0.15), -67)
	samples := make([]float32, len(voice)*f.Channels)
	for i := range samples {
		x := voice[i/f.Channels]
		if i%f.Channels == 1 {
			x = other[(i/f.Channels+f.RateHz/1000)%len(other)]
		}
		samples[i] = float32(math.Round(float64(x)*32768) / 32768)
	}
	return samples
}

// BenchmarkWrite reports the speed of the complete analysis relative to real time.
func BenchmarkWrite(b *testing.B) {
	for _, f := range []Format{{48000, 1}, {48000, 2}, {44100, 1}, {44100, 2}, {16000, 1}, {8000, 1}, {88100, 2}, {96000, 2}, {176400, 2}, {192000, 2}, {48000, 8}, {48000, 32}} {
		b.Run(fmt.Sprintf("%dHz/%dch", f.RateHz, f.Channels), func(b *testing.B) {
			const seconds = 4
			sound := benchSound(f, seconds)
			a, err := NewAnalyzer(f)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for at := 0; at < len(sound); at += f.RateHz / 100 * f.Channels {
					a.Write(sound[at:min(len(sound), at+f.RateHz/100*f.Channels)])
				}
			}
			perSecond := b.Elapsed() / time.Duration(seconds*b.N)
			b.ReportMetric(float64(time.Second)/float64(perSecond), "x-real-time")
		})
	}
}

// BenchmarkAnalysis measures the cost of a query after the six seconds of a check.
func BenchmarkAnalysis(b *testing.B) {
	for _, f := range []Format{{48000, 1}, {48000, 2}} {
		b.Run(fmt.Sprintf("%dHz/%dch", f.RateHz, f.Channels), func(b *testing.B) {
			a, err := NewAnalyzer(f)
			if err != nil {
				b.Fatal(err)
			}
			a.Write(benchSound(f, 6))
			b.ReportAllocs()
			for b.Loop() {
				a.Analysis()
			}
		})
	}
}
