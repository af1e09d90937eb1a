package signal

import (
	"math"
	"slices"
	"testing"
)

func TestEcho(t *testing.T) {
	for _, rate := range []int{8000, 16000, 44100, 48000} {
		played := syllables(rate, 1.5, 180, 0.3)
		quiet := addNoise(make([]float32, 3*rate), -60)
		for _, lagMS := range []float64{0, 20, 180, 900} {
			for _, inverted := range []float32{1, -1} {
				recorded := slices.Clone(quiet)
				lag := int(lagMS * float64(rate) / 1000)
				for i, x := range played {
					recorded[lag+i] += inverted * 0.1 * x
				}
				e := Echo(played, recorded, rate)
				if !e.Heard() || math.Abs(e.LagMS-lagMS) > 0.2 || math.Abs(e.ReturnDB+20) > 0.5 || e.Confidence < 0.8 {
					t.Errorf("%d Hz, %g ms: got %+v, want that delay and a return of -20 dB", rate, lagMS, e)
				}
			}
		}
	}
}

func TestEchoUnderNoiseAndWhileSpeaking(t *testing.T) {
	const rate = 16000
	played := syllables(rate, 2, 180, 0.3)
	recorded := addNoise(syllables(rate, 4, 110, 0.05), -45)
	for i, x := range played {
		recorded[2000+i] += 0.1 * x
	}
	if e := Echo(played, recorded, rate); !e.Heard() || math.Abs(e.LagMS-125) > 0.2 {
		t.Errorf("got %+v, want a delay of 125 ms", e)
	}
}

func TestNoEcho(t *testing.T) {
	const rate = 16000
	played := syllables(rate, 2, 180, 0.3)
	for name, recorded := range map[string][]float32{
		"noise": addNoise(make([]float32, 4*rate), -40), "silence": make([]float32, 4*rate), "nothing": nil,
		"a constant": constant(4*rate, 0.5),
		"not finite": {float32(math.NaN()), float32(math.Inf(1))}, "one sample": {0.5},
	} {
		if e := Echo(played, recorded, rate); e.Heard() || math.IsNaN(e.ReturnDB) || math.IsNaN(e.Confidence) {
			t.Errorf("%s: got %+v, want no echo", name, e)
		}
	}
	if e := Echo(nil, played, rate); e.Heard() {
		t.Errorf("without a reference: got %+v, want no echo", e)
	}
}

func constant(length int, value float32) []float32 {
	samples := make([]float32, length)
	for i := range samples {
		samples[i] = value
	}
	return samples
}
