package stats

import (
	"math/rand/v2"
	"testing"
)

// minuteOfVoice is 60 s at 50 packets/s with loss, jitter and reordering.
func minuteOfVoice() Direction {
	rng := rand.New(rand.NewPCG(13, 14))
	d := Direction{Sent: 3000, IntervalNS: 20e6}
	for _, p := range skewed(3000, 80, func(int) float64 { return 30 + 8*rng.ExpFloat64() }) {
		if rng.Float64() > 0.02 {
			d.Packets = append(d.Packets, p)
		}
	}
	sortByArrival(d.Packets)
	return d
}

func BenchmarkSummariseMinute(b *testing.B) {
	d := minuteOfVoice()
	b.ReportAllocs()
	for b.Loop() {
		Summarise(d)
	}
}

func BenchmarkSkewMinute(b *testing.B) {
	d := minuteOfVoice()
	for b.Loop() {
		Skew(d.Packets)
	}
}

func BenchmarkJitterMinute(b *testing.B) {
	d := minuteOfVoice()
	b.ReportAllocs()
	for b.Loop() {
		JitterOf(d.Packets)
	}
}
