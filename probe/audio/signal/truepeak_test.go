package signal

import (
	"fmt"
	"math"
	"testing"
)

func wantTruePeak(t *testing.T, what string, samples []float32, rateHz int, want float64) {
	t.Helper()
	stereo := make([]float32, 0, 2*len(samples))
	for _, x := range samples {
		stereo = append(stereo, x, x)
	}
	got := analyse(Format{rateHz, 2}, stereo).TruePeakDBTP
	if got > want+0.2 || got < want-0.4 {
		t.Errorf("%s at %d Hz: %.3f dBTP, want %.1f +0.2/-0.4", what, rateHz, got, want)
	}
}

// fadedTone returns amplitude·sin at 1/divisor of the rate from a phase in degrees,
// with fades of 10 ms.
func fadedTone(rateHz int, amplitude, divisor, phaseDegrees float64) []float32 {
	samples := make([]float32, rateHz/2)
	fade := float64(rateHz) / 100
	for i := range samples {
		edge := float64(min(i, len(samples)-1-i))
		x := amplitude * math.Min(1, edge/fade) * math.Sin(2*math.Pi*float64(i)/divisor+phaseDegrees*math.Pi/180)
		samples[i] = float32(x)
	}
	return samples
}

// TestTruePeakEBU3341Tones covers EBU Tech 3341, cases 15 to 19.
func TestTruePeakEBU3341Tones(t *testing.T) {
	for _, rate := range []int{8000, 16000, 44100, 48000} {
		wantTruePeak(t, "case 15", fadedTone(rate, 0.5, 4, 0), rate, -6)
		wantTruePeak(t, "case 16", fadedTone(rate, 0.5, 4, 45), rate, -6)
		wantTruePeak(t, "case 17", fadedTone(rate, 0.5, 6, 60), rate, -6)
		wantTruePeak(t, "case 18", fadedTone(rate, 0.5, 8, 67.5), rate, -6)
		wantTruePeak(t, "case 19", fadedTone(rate, 1.41, 4, 45), rate, 3)
	}
	// At higher rates the samples of a voice are dense enough.
	wantTruePeak(t, "12 kHz", fadedTone(96000, 0.5, 8, 67.5), 96000, -6)
	wantTruePeak(t, "12 kHz", fadedTone(192000, 0.5, 16, 78.75), 192000, -6)
}

// TestTruePeakEBU3341Burst covers EBU Tech 3341, cases 20 to 23: a tone at a sixth of the rate with
// one full-scale period at a quarter of it, generated at four times the rate and decimated at
// each of the four offsets.
func TestTruePeakEBU3341Burst(t *testing.T) {
	const rate = 48000
	for offset := range 4 {
		oversampled := make([]float64, 4*rate)
		burst, period := 2*rate-8, 16 // samples at four times the rate
		for i := range oversampled {
			oversampled[i] = 0.5 * math.Sin(2*math.Pi*float64(i)/24)
			if i >= burst && i < burst+period {
				oversampled[i] = math.Sin(2 * math.Pi * float64(i-burst) / float64(period))
			}
		}
		limited := lowPassForDecimation(oversampled)
		var samples []float32
		for i := offset; i < len(limited); i += 4 {
			samples = append(samples, float32(limited[i]))
		}
		wantTruePeak(t, fmt.Sprintf("case %d", 20+offset), samples, rate, 0)
	}
}

// lowPassForDecimation limits the band to an eighth of the rate by a long windowed
// sinc, and scales the maximum to 1, which is the true peak of the result.
func lowPassForDecimation(x []float64) []float64 {
	const half = 128
	kernel := make([]float64, 2*half+1)
	for i := range kernel {
		t := float64(i - half)
		kernel[i] = 0.25 * (0.5 + 0.5*math.Cos(math.Pi*t/(half+1)))
		if t != 0 {
			kernel[i] = math.Sin(math.Pi*t/4) / (math.Pi * t) * (0.5 + 0.5*math.Cos(math.Pi*t/(half+1)))
		}
	}
	y := make([]float64, len(x))
	highest := 0.0
	for i := len(x)/2 - 4*half; i < len(x)/2+4*half; i++ {
		for k, h := range kernel {
			y[i] += h * x[i+half-k]
		}
		highest = max(highest, math.Abs(y[i]))
	}
	for i := range y {
		y[i] /= highest
	}
	return y
}

func TestTruePeakIsNeverBelowTheSamples(t *testing.T) {
	samples := make([]float32, 4800)
	samples[4799] = 0.9 // the last sample: nothing follows to interpolate with
	r := analyse(Format{48000, 1}, samples)
	if r.TruePeakDBTP < r.PeakDBFS {
		t.Errorf("true peak %.2f below the sample peak %.2f", r.TruePeakDBTP, r.PeakDBFS)
	}
}
