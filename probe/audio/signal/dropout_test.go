package signal

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGateIsNotADropout: a noise gate that closes in a room with permanent noise
// leaves exact zeros after a fade. The same zeros without a fade are dropouts.
func TestGateIsNotADropout(t *testing.T) {
	const (
		rate      = 48000
		closedFor = rate / 20
		holes     = 8
	)
	random := rand.New(rand.NewPCG(5, 6))
	voice := syllables(rate, 6, 130, 0.2)
	for i := range voice {
		voice[i] += float32(0.003 * random.NormFloat64()) // room noise, -50 dBFS
	}
	for name, tt := range map[string]struct {
		fade int // frames
		want int
	}{"a gate": {rate / 100, 0}, "lost buffers": {0, holes}} {
		sound := slices.Clone(voice)
		for hole := range holes {
			from := rate/2 + hole*rate*5/8 + 1
			clear(sound[from : from+closedFor])
			for i := range tt.fade {
				sound[from-tt.fade+i] *= float32(tt.fade-i) / float32(tt.fade+1)
			}
			for i := range tt.fade / 5 { // a gate opens faster than it closes
				sound[from+closedFor+i] *= float32(i) / float32(tt.fade/5)
			}
		}
		a, err := NewAnalyzer(Format{RateHz: rate, Channels: 1})
		if err != nil {
			t.Fatal(err)
		}
		a.Write(sound)
		if got := a.Analysis().Dropouts; got != tt.want {
			t.Errorf("%s: %d dropouts, want %d", name, got, tt.want)
		}
	}
}
