package voices

import (
	"math"
	"math/rand/v2"
	"testing"
)

// These tests verify the steps with other measures than those under test.

// tone returns a take with one sine.
func tone(rateHz int, hz, seconds, peak float64) *take {
	t := &take{rateHz: rateHz, channels: [][]float64{make([]float64, int(seconds*float64(rateHz)))}, random: rand.New(rand.NewPCG(1, 2))}
	for i := range t.channels[0] {
		t.channels[0][i] = peak * math.Sin(2*math.Pi*hz*float64(i)/float64(rateHz))
	}
	return t
}

// middleDB returns the level in dB of the middle half of a channel.
func middleDB(samples []float64) float64 {
	n := len(samples)
	return 20 * math.Log10(rms(samples[n/4:3*n/4]))
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: got %.3f, want %.3f ± %g", what, got, want, within)
	}
}

func TestResampling(t *testing.T) {
	for _, rates := range [][2]float64{{22050, 48000}, {22050, 44100}, {22050, 16000}, {48000, 8000}, {25357.5, 48000}} {
		kept := tone(int(rates[0]), 1000, 0.5, 1)
		near(t, "1 kHz kept", middleDB(resample(kept.channels[0], rates[0], rates[1])), -3.01, 0.01)
	}
	alias := tone(48000, 5000, 0.5, 1)
	if level := middleDB(resample(alias.channels[0], 48000, 8000)); level > -75 {
		t.Errorf("5 kHz at a rate of 8 kHz leaves %.1f dB", level)
	}
}

func TestNoiseAndHumHaveTheirLevel(t *testing.T) {
	for name, kind := range map[string]colour{"white": white, "pink": pink, "fan": fan} {
		quiet := tone(48000, 0, 4, 0)
		noise(kind, -40)(quiet)
		near(t, name, 20*math.Log10(rms(quiet.channels[0])), -40, 0.01)
	}
	hummed := tone(48000, 0, 4, 0)
	hum(50, 4, -45)(hummed)
	near(t, "hum", 20*math.Log10(rms(hummed.channels[0])), -45, 0.01)
}

// TestPinkNoiseIsPink: pink noise falls by 3 dB per octave: each octave has the same power.
func TestPinkNoiseIsPink(t *testing.T) {
	noise := pink(tone(48000, 0, 0.1, 0), 48000*4)
	octave := func(fromHz float64) float64 {
		below := resample(noise, 48000, 4*fromHz)
		return rms(highPassed(below, fromHz/(4*fromHz)))
	}
	near(t, "1-2 kHz against 250-500 Hz", 20*math.Log10(octave(1000)/octave(250)), 0, 1.5)
}

// highPassed removes the frequencies below a share of the rate by subtracting a
// moving mean.
func highPassed(samples []float64, share float64) []float64 {
	reach := int(0.5 / share)
	out := make([]float64, 0, len(samples))
	for i := reach; i+reach < len(samples); i++ {
		sum := 0.0
		for _, x := range samples[i-reach : i+reach+1] {
			sum += x
		}
		out = append(out, samples[i]-sum/float64(2*reach+1))
	}
	return out
}

func TestFaultsHaveTheirStrength(t *testing.T) {
	const rate = 48000
	count := func(samples []float64, is func(float64) bool) float64 {
		n := 0
		for _, x := range samples {
			if is(x) {
				n++
			}
		}
		return 100 * float64(n) / float64(len(samples))
	}
	clipped := tone(rate, 217, 2, 0.3)
	clip(5, -6)(clipped)
	near(t, "clipped share", count(clipped.channels[0], func(x float64) bool { return math.Abs(x) >= amplitude(-6)-1e-9 }), 5, 0.2)

	moved := tone(rate, 217, 2, 0.3)
	offset(0.05)(moved)
	sum := 0.0
	for _, x := range moved.channels[0] {
		sum += x
	}
	near(t, "offset", sum/float64(moved.frames()), 0.05, 1e-6)

	holed := tone(rate, 217.3, 2, 0.3)
	gaps(7, 20)(holed)
	near(t, "lost share", count(holed.channels[0], func(x float64) bool { return x == 0 }), 100*7*0.020/2, 0.1)

	two := tone(rate, 217, 2, 0.3)
	pair(two)
	inverted(6)(two)
	near(t, "inverted", two.channels[1][100]/two.channels[0][100], -amplitude(-6), 1e-9)
	dead(0, -90)(two)
	near(t, "dead channel", 20*math.Log10(rms(two.channels[0])), -90, 0.01)

	loud := tone(rate, 217, 2, 0.3)
	limiter(-4, -0.5)(loud)
	if peak := 20 * math.Log10(loud.peak()); peak > 0.01 {
		t.Errorf("got a peak of %.2f dBFS after the limiter, want at most 0.01", peak)
	}

	telephoned := tone(rate, 6000, 1, 0.5)
	telephone(telephoned)
	if level := middleDB(telephoned.channels[0]); level > -75 {
		t.Errorf("6 kHz through a telephone path: got %.1f dB, want at most -75", level)
	}

	bits := tone(rate, 217, 1, 1.5)
	sixteenBits(bits)
	for _, x := range bits.channels[0] {
		if x != math.Round(x*32768)/32768 || x > 32767.0/32768 || x < -1 {
			t.Fatalf("%g is not a 16-bit value", x)
		}
	}
}
