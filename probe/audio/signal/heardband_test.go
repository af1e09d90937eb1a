package signal

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// heardLevelDB returns the level of a tone in the audible band, in dB.
func heardLevelDB(rateHz int, hz float64) float64 {
	band := newHeardBand(rateHz)
	tone := make([]float64, rateHz/4)
	for i := range tone {
		tone[i] = math.Sin(2 * math.Pi * hz * float64(i) / float64(rateHz))
	}
	var heard []float64
	for at := 0; at < len(tone); at += blockFrames - 1 { // odd: a block may end between two halves
		heard = append(heard, band.of(tone[at:min(at+blockFrames-1, len(tone))])...)
	}
	settled := heard[100:]
	return powerDB(2 * energy(settled) / float64(len(settled)))
}

func TestHeardBandRates(t *testing.T) {
	for rate, want := range map[int]int{
		8000: 8000, 44100: 44100, 48000: 48000, 64000: 64000, 88199: 88199, 88200: 44100, 96000: 48000, 176400: 44100, 192000: 48000,
	} {
		if band := newHeardBand(rate); band.rateHz != want || band.rateHz*band.factor != rate {
			t.Errorf("%d Hz is heard at %d Hz, a %dth; want %d", rate, band.rateHz, band.factor, want)
		}
	}
}

// TestHeardBandPassesAndStops: the audible band passes unchanged, and everything that would
// alias into it is removed.
func TestHeardBandPassesAndStops(t *testing.T) {
	for _, rate := range []int{88200, 96000, 176400, 192000} {
		low := float64(newHeardBand(rate).rateHz)
		for share := 0.01; share <= 0.4; share += 0.013 {
			if db := heardLevelDB(rate, share*low); math.Abs(db) > 0.05 {
				t.Errorf("%d Hz: %.0f Hz changes by %.3f dB, want at most 0.05", rate, share*low, db)
			}
			for images := low; images < float64(rate)/2+low; images += low {
				for _, hz := range []float64{images - share*low, images + share*low} {
					if db := heardLevelDB(rate, hz); hz <= float64(rate)/2 && db > -48 {
						t.Errorf("%d Hz: %.0f Hz folds to %.0f Hz with %.1f dB, want at most -48", rate, hz, share*low, db)
					}
				}
			}
		}
	}
}

// TestHeardBandOfAConstant: an offset and silence pass exactly, from the first sample on.
func TestHeardBandOfAConstant(t *testing.T) {
	for _, value := range []float64{0, 0.25} {
		band := newHeardBand(192000)
		block := make([]float64, blockFrames)
		for i := range block {
			block[i] = value
		}
		for range 3 {
			heard := band.of(block)
			if len(heard) != blockFrames/4 {
				t.Fatalf("%d samples of %d, want a quarter", len(heard), blockFrames)
			}
			for _, x := range heard {
				if math.Abs(x-value) > 1e-15 {
					t.Fatalf("a constant %v yields %v, want the same", value, x)
				}
			}
		}
	}
}

// TestLoudnessOfTheHeardBandIsThatOfTheFullRate: the loudness in the audible band equals that
// of K weighting at the full rate. Of the tolerance of 0.05 LU (half of that of EBU Tech 3341)
// 0.03 are caused by the standard itself: the numerator of its high pass, 1, -2, 1 at every
// rate, passes 0.04 dB too much at 48 kHz and 0.01 at 192.
func TestLoudnessOfTheHeardBandIsThatOfTheFullRate(t *testing.T) {
	need.Full(t, "analyses many recordings")
	for _, rate := range []int{88200, 96000, 192000} {
		samples := map[string][]float32{"a voice": addNoise(syllables(rate, 4, 120, 0.2), -90)}
		for _, hz := range []float64{40, 100, 1000, 4000, 10000, 16000} {
			samples[fmt.Sprintf("%g Hz", hz)] = addTone(make([]float32, 4*rate), rate, hz, -23)
		}
		for name, mono := range samples {
			full := newLoudnessMeter(rate)
			wide := make([]float64, len(mono))
			for i, x := range mono {
				wide[i] = float64(x)
			}
			full.write(wide, wide)
			heard := analyse(Format{rate, 1}, mono)
			momentary, shortTerm := full.maxima()
			for what, pair := range map[string][2]*float64{
				"M": {heard.MomentaryMaxLUFS, momentary}, "S": {heard.ShortTermMaxLUFS, shortTerm}, "I": {heard.IntegratedLUFS, full.integrated()},
			} {
				if math.Abs(*pair[0]-*pair[1]) > 0.05 {
					t.Errorf("%s at %d Hz: %s is %.3f LUFS, at the full rate %.3f; want the same", name, rate, what, *pair[0], *pair[1])
				}
			}
		}
	}
}

// TestAnalysedSpeechLevelIsThatOfTheRecommendation: the speech level of an analysis equals that
// of the recommendation at every rate, over the full bandwidth.
func TestAnalysedSpeechLevelIsThatOfTheRecommendation(t *testing.T) {
	for _, rate := range append([]int{192000}, p56Rates...) {
		samples := gatedNoise(rate, 0.05)
		random := rand.New(rand.NewPCG(1, uint64(rate)))
		for i := range samples {
			samples[i] += float32(1e-4 * random.NormFloat64())
		}
		if got, want := analyse(Format{rate, 1}, samples).ActiveLevelDBFS, p56Reference(samples, rate); math.Abs(got-want) > 0.02 {
			t.Errorf("%d Hz: %.3f dBFS, the recommendation's counters give %.3f", rate, got, want)
		}
	}
}
