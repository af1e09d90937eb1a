package signal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// gatedNoise returns bursts of white noise with pauses longer than the hangover.
// Its active level is known: the energy of the noise over the bursts and the
// hangover after each.
func gatedNoise(rateHz int, rms float64) []float32 {
	random := rand.New(rand.NewPCG(56, 1))
	samples := make([]float32, 12*rateHz)
	for i := range samples {
		if i/rateHz%2 == 0 {
			samples[i] = float32(rms * random.NormFloat64())
		}
	}
	return samples
}

func gatedTone(rateHz int, frequencyHz, rms float64) []float32 {
	samples := make([]float32, 12*rateHz)
	for i := range samples {
		if i/rateHz%2 == 0 {
			samples[i] = float32(rms * math.Sqrt2 * math.Sin(2*math.Pi*frequencyHz*float64(i)/float64(rateHz)))
		}
	}
	return samples
}

// p56Reference implements the recommendation literally: a counter per sample and
// threshold, and a search for the margin on a fine grid between the two thresholds.
func p56Reference(samples []float32, rateHz int) float64 {
	g := math.Exp(-1 / (float64(rateHz) * 0.03))
	hangover := int(math.Floor(0.2*float64(rateHz) + 0.5))
	var p, q, squares float64
	var counts, hang [15]int
	var thresholds [15]float64
	for j := range hang {
		hang[j] = hangover
		thresholds[j] = math.Pow(2, float64(j-15))
	}
	for _, s := range samples {
		x := float64(s)
		squares += x * x
		p = g*p + (1-g)*math.Abs(x)
		q = g*q + (1-g)*p
		for j := range counts {
			if q >= thresholds[j] {
				counts[j]++
				hang[j] = 0
			} else if hang[j] < hangover {
				counts[j]++
				hang[j]++
			}
		}
	}
	level := func(j int) float64 { return 10 * math.Log10(squares/float64(counts[j])) }
	threshold := func(j int) float64 { return 20 * float64(j-15) * math.Log10(2) }
	for j := 1; j < 15; j++ {
		if level(j)-threshold(j) > 15.9 {
			continue
		}
		for t := 0.0; t <= 1; t += 1e-5 {
			l := level(j-1) + t*(level(j)-level(j-1))
			if l-(threshold(j-1)+t*(threshold(j)-threshold(j-1))) <= 15.9 {
				return l
			}
		}
	}
	return NoSpeechDBFS
}

var p56Rates = []int{8000, 16000, 44100, 48000, 96000}

func TestActiveSpeechLevelOfKnownConstruction(t *testing.T) {
	// The envelope of P.56 falls below the deciding threshold some time after a
	// burst, followed by the hangover of 0.2 s. For bursts of 1 s with level L the
	// active level is L - 10 lg(1 + decay + 0.2).
	rates := p56Rates
	if need.Short() {
		rates = []int{8000, 44100}
	}
	for _, rate := range rates {
		for _, dBFS := range []float64{-16, -26, -36, -46} {
			t.Run(fmt.Sprintf("%d Hz %g dBFS", rate, dBFS), func(t *testing.T) {
				rms := math.Pow(10, dBFS/20)
				for name, samples := range map[string][]float32{
					"noise": gatedNoise(rate, rms), "tone": gatedTone(rate, 1000, rms),
				} {
					got := ActiveSpeechLevel(samples, rate)
					if want := p56Reference(samples, rate); math.Abs(got.ActiveDBFS-want) > 0.01 {
						t.Errorf("%s: active level %.3f, the recommendation's counters give %.3f", name, got.ActiveDBFS, want)
					}
					activeShare := math.Pow(10, (got.RMSDBFS-got.ActiveDBFS)/10)
					if math.Abs(100*activeShare-got.ActivityPct) > 1e-6 {
						t.Errorf("%s: activity %.3f %% does not fit the levels, want %.3f %%", name, got.ActivityPct, 100*activeShare)
					}
					// A rise of at most 30 ms and a decay of at most 150 ms limit
					// the active time of a burst.
					if got.ActivityPct < 58 || got.ActivityPct > 68 {
						t.Errorf("%s: activity %.1f %%, want about 1.2 to 1.35 s of every 2 s", name, got.ActivityPct)
					}
				}
			})
		}
	}
}

// TestActiveSpeechLevelOfContinuousSignal: a continuous signal is active all the time except
// for the rise of the envelope: its active level equals its level.
func TestActiveSpeechLevelOfContinuousSignal(t *testing.T) {
	for _, rate := range p56Rates {
		for _, dBFS := range []float64{-20, -33.3, -60} {
			samples := make([]float32, 30*rate)
			peak := math.Pow(10, dBFS/20) * math.Sqrt2
			for i := range samples {
				samples[i] = float32(peak * math.Sin(2*math.Pi*440*float64(i)/float64(rate)))
			}
			if got := ActiveSpeechLevel(samples, rate); math.Abs(got.ActiveDBFS-dBFS) > 0.1 || got.ActivityPct < 99.5 {
				t.Errorf("%d Hz: %.2f dBFS, %.1f %% for a tone of %g dBFS, want that level and at least 99.5 %%", rate, got.ActiveDBFS, got.ActivityPct, dBFS)
			}
		}
	}
}

func TestActiveSpeechLevelFollowsGain(t *testing.T) {
	for _, rate := range p56Rates {
		loud := gatedNoise(rate, 0.05)
		soft := make([]float32, len(loud))
		for i := range loud {
			soft[i] = loud[i] / 10
		}
		difference := ActiveSpeechLevel(loud, rate).ActiveDBFS - ActiveSpeechLevel(soft, rate).ActiveDBFS
		if math.Abs(difference-20) > 0.05 {
			t.Errorf("%d Hz: a copy 20 dB down reads %.3f dB less, want 20", rate, difference)
		}
	}
}

func TestActiveSpeechLevelOfNothing(t *testing.T) {
	for name, samples := range map[string][]float32{
		"no samples": nil, "silence": make([]float32, 8000), "below every threshold": {1e-6, -1e-6, 1e-6},
	} {
		if got := ActiveSpeechLevel(samples, 8000); got.ActiveDBFS != NoSpeechDBFS || got.ActivityPct != 0 {
			t.Errorf("%s: got %+v, want no active level and no activity", name, got)
		}
	}
}
