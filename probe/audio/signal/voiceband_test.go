package signal

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestVoiceBandIsThatOfWebRTC compares the filter with the coefficients that WebRTC has for 48, 32 and 16 kHz
// (modules/audio_processing/high_pass_filter.cc).
func TestVoiceBandIsThatOfWebRTC(t *testing.T) {
	for rate, want := range map[int][5]float64{
		48000: {0.990786698, -1.981573396, 0.990786698, -1.981488509, 0.981658283},
		32000: {0.986211925, -1.972423849, 0.986211925, -1.972233729, 0.972613969},
		16000: {0.972613898, -1.945227797, 0.972613898, -1.944477658, 0.945977936},
	} {
		f := newVoiceBand(rate).filter
		for i, got := range [5]float64{f.b0, f.b1, f.b2, f.a1, f.a2} {
			if math.Abs(got-want[i]) > 1e-6 {
				t.Errorf("%d Hz: coefficient %d is %.9f, want %.9f", rate, i, got, want[i])
			}
		}
	}
}

// TestVoiceBandWithoutRumble: rumble does not change the level and the noise of the voice band.
func TestVoiceBandWithoutRumble(t *testing.T) {
	for _, rate := range []int{16000, 48000, 96000} {
		voice := addNoise(append(make([]float32, rate), append(syllables(rate, 5, 120, 0.2), make([]float32, rate)...)...), -60)
		random := rand.New(rand.NewPCG(1, 2))
		pole := math.Exp(-2 * math.Pi * 12 / float64(rate))
		var states [3]float64
		rumbling := make([]float32, len(voice))
		power := 0.0
		for i := range rumbling {
			x := random.NormFloat64()
			for k := range states {
				states[k] = pole*states[k] + (1-pole)*x
				x = states[k]
			}
			rumbling[i] = float32(x)
			power += x * x / float64(len(voice))
		}
		gain := float32(math.Pow(10, -20.0/20) / math.Sqrt(power))
		for i, x := range voice {
			rumbling[i] = x + gain*rumbling[i]
		}
		calm, r := analyse(Format{rate, 1}, voice), analyse(Format{rate, 1}, rumbling)
		if calm.VoiceBandNoiseDBFS == nil || math.Abs(*calm.VoiceBandNoiseDBFS-*calm.NoiseFloorDBFS) > 1 || math.Abs(calm.VoiceBandLevelDBFS-calm.ActiveLevelDBFS) > 1 {
			t.Errorf("%d Hz, no rumble: level %.1f and %.1f, noise %s; want the same level and %s", rate,
				calm.ActiveLevelDBFS, calm.VoiceBandLevelDBFS, show(calm.VoiceBandNoiseDBFS), show(calm.NoiseFloorDBFS))
		}
		if r.VoiceBandNoiseDBFS == nil || math.Abs(*r.VoiceBandNoiseDBFS-*calm.VoiceBandNoiseDBFS) > 3 || math.Abs(r.VoiceBandLevelDBFS-calm.VoiceBandLevelDBFS) > 1 {
			t.Errorf("%d Hz, rumble: level %.1f and %.1f, noise %s; want %.1f and about %s", rate,
				r.ActiveLevelDBFS, r.VoiceBandLevelDBFS, show(r.VoiceBandNoiseDBFS), calm.VoiceBandLevelDBFS, show(calm.VoiceBandNoiseDBFS))
		}
	}
}
