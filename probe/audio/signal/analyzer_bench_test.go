package signal

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkWrite reports how many times faster than real time everything together is measured.
func BenchmarkWrite(b *testing.B) {
	for _, f := range []Format{{48000, 1}, {48000, 2}, {44100, 1}, {16000, 1}, {8000, 1}, {96000, 2}, {192000, 2}} {
		b.Run(fmt.Sprintf("%dHz/%dch", f.RateHz, f.Channels), func(b *testing.B) {
			second := make([]float32, f.RateHz*f.Channels)
			voice := syllables(f.RateHz, 1, 120, 0.2)
			for i := range second {
				second[i] = voice[i/f.Channels]
			}
			a, err := NewAnalyzer(f)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for at := 0; at < len(second); at += f.RateHz / 100 * f.Channels {
					a.Write(second[at:min(len(second), at+f.RateHz/100*f.Channels)])
				}
			}
			perSecond := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(time.Second)/float64(perSecond), "x-real-time")
		})
	}
}

// BenchmarkAnalysis is what it costs to ask in the middle of a stream, after the six seconds of a check.
func BenchmarkAnalysis(b *testing.B) {
	for _, f := range []Format{{48000, 1}, {48000, 2}} {
		b.Run(fmt.Sprintf("%dHz/%dch", f.RateHz, f.Channels), func(b *testing.B) {
			a, err := NewAnalyzer(f)
			if err != nil {
				b.Fatal(err)
			}
			voice := addNoise(syllables(f.RateHz, 6, 120, 0.2), -60)
			samples := make([]float32, len(voice)*f.Channels)
			for i := range samples {
				samples[i] = voice[i/f.Channels]
			}
			a.Write(samples)
			b.ReportAllocs()
			for b.Loop() {
				a.Analysis()
			}
		})
	}
}
