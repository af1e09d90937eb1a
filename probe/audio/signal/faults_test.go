package signal

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestNoSpeechInOtherSounds: the detector must distinguish silence from soft speech, and must
// not detect speech in other sounds.
func TestNoSpeechInOtherSounds(t *testing.T) {
	const rate = 48000
	random := rand.New(rand.NewPCG(5, 5))
	fill := func(f func(t float64) float64) []float32 {
		samples := make([]float32, 8*rate)
		for i := range samples {
			samples[i] = float32(f(float64(i) / rate))
		}
		return samples
	}
	brown, click := 0.0, 0.0
	sin := func(hz, t float64) float64 { return math.Sin(2 * math.Pi * hz * t) }
	for name, samples := range map[string][]float32{
		"digital silence": make([]float32, 8*rate),
		"white noise":     fill(func(float64) float64 { return 0.05 * random.NormFloat64() }),
		"swelling noise":  fill(func(t float64) float64 { return 0.05 * (1 + 0.95*sin(3, t)) * random.NormFloat64() }),
		"rumble":          fill(func(float64) float64 { brown = 0.999*brown + 0.01*random.NormFloat64(); return brown }),
		"hum":             fill(func(t float64) float64 { return 0.05 * sin(50, t) }),
		"buzz": fill(func(t float64) float64 {
			return 0.02*(sin(50, t)+sin(150, t)+sin(250, t)+sin(350, t)+sin(450, t)) + 0.001*random.NormFloat64()
		}),
		"hum that begins later": fill(func(t float64) float64 {
			if t < 4 {
				return 0.001 * random.NormFloat64()
			}
			return 0.1*sin(150, t) + 0.05*sin(250, t) + 0.05*sin(350, t) + 0.001*random.NormFloat64()
		}),
		"test tone": fill(func(t float64) float64 { return 0.1 * sin(440, t) }),
		"beeps": fill(func(t float64) float64 {
			if math.Mod(t, 0.5) < 0.2 {
				return 0.1*sin(880, t) + 0.001*random.NormFloat64()
			}
			return 0.001 * random.NormFloat64()
		}),
		"typing": fill(func(t float64) float64 {
			if random.IntN(rate/6) == 0 {
				click = 0.3
			}
			click *= 0.995
			return click*random.NormFloat64() + 0.001*random.NormFloat64()
		}),
	} {
		if r := analyse(Format{rate, 1}, samples); r.SpeechMS > 400 {
			t.Errorf("%s: %.0f ms of 8 s classified as speech, want at most 400", name, r.SpeechMS)
		}
	}
}

func TestHumOfEveryKind(t *testing.T) {
	const rate = 48000
	for _, hz := range []float64{50, 60, 120, 200} {
		hummed := addTone(addNoise(make([]float32, 4*rate), -80), rate, hz, -45)
		r := analyse(Format{rate, 1}, hummed)
		want := 50.0
		if math.Mod(hz, 60) == 0 {
			want = 60
		}
		if r.HumHz == nil || *r.HumHz != want || math.Abs(*r.HumDBFS+45) > 1.5 || *r.HumAboveDB < 20 {
			t.Errorf("%g Hz at -45 dBFS: %s Hz, %s dBFS, %s dB above; want %g Hz, at least 20 dB above", hz, show(r.HumHz), show(r.HumDBFS), show(r.HumAboveDB), want)
		}
	}
	for name, samples := range map[string][]float32{
		"noise":             addNoise(make([]float32, 4*rate), -40),
		"a tone of 75 Hz":   addTone(addNoise(make([]float32, 4*rate), -80), rate, 75, -45),
		"a hum of -75 dBFS": addTone(addNoise(make([]float32, 4*rate), -100), rate, 50, -75),
	} {
		if r := analyse(Format{rate, 1}, samples); r.HumHz != nil {
			t.Errorf("%s reported as hum of %g Hz at %g dBFS, want none", name, *r.HumHz, *r.HumDBFS)
		}
	}
}

// TestLoudIsNotClipped: a single sample at full scale is not clipping, nor is a loud tone, or a
// low one with flat tops.
func TestLoudIsNotClipped(t *testing.T) {
	for _, rate := range []int{8000, 16000, 48000, 192000} {
		for _, hz := range []float64{80, 440, 997} {
			tone := addTone(make([]float32, 2*rate), rate, hz, -6)
			tone[rate] = 1
			r := analyse(Format{rate, 1}, tone)
			if r.ClippedRuns != 0 || r.ClippedPct != 0 || r.ClippedUpstreamRuns != 0 || r.FlatFactor > 6.1 {
				t.Errorf("%g Hz at %d Hz: %d runs, %g %%, %d upstream, flat factor %.1f",
					hz, rate, r.ClippedRuns, r.ClippedPct, r.ClippedUpstreamRuns, r.FlatFactor)
			}
		}
	}
}

func TestClippedToneAtEveryRate(t *testing.T) {
	for _, rate := range []int{8000, 16000, 44100, 48000, 96000, 192000} {
		tone := addTone(make([]float32, 2*rate), rate, 217, 0)
		turnedDown := make([]float32, len(tone))
		for i, x := range tone {
			tone[i] = max(-1, min(1, 1.5*x))
			turnedDown[i] = 0.25 * tone[i]
		}
		r := analyse(Format{rate, 1}, tone)
		// Half of the time 1.5·√2·|sin| is above 1: asin(1/2.12)/90° = 31 % is below.
		if math.Abs(float64(r.ClippedRuns)-868) > 4 || math.Abs(r.ClippedPct-68.7) > 2 || r.ClippedUpstreamRuns != 0 || r.FlatFactor < 10 {
			t.Errorf("%d Hz: %d runs, %.1f %%, %d upstream, flat factor %.1f; want about 868, 68.7 %%, 0, at least 10", rate, r.ClippedRuns, r.ClippedPct, r.ClippedUpstreamRuns, r.FlatFactor)
		}
		d := analyse(Format{rate, 1}, turnedDown)
		if d.ClippedRuns != 0 || d.ClippedUpstreamRuns < 600 || d.ClipLevelDBFS == nil || math.Abs(*d.ClipLevelDBFS+12.04) > 0.1 {
			t.Errorf("%d Hz turned down: %d runs, %d upstream at %s dBFS; want 0, at least 600 at -12.04", rate, d.ClippedRuns, d.ClippedUpstreamRuns, show(d.ClipLevelDBFS))
		}
	}
}

func TestChannels(t *testing.T) {
	const rate = 48000
	voice := addNoise(syllables(rate, 4, 120, 0.1), -80)
	stereo := func(left, right float32) []float32 {
		samples := make([]float32, 0, 2*len(voice))
		for _, x := range voice {
			samples = append(samples, left*x, right*x)
		}
		return samples
	}
	same := analyse(Format{rate, 2}, stereo(1, 1))
	if *same.ChannelCorrelation < 0.999 || math.Abs(*same.ChannelBalanceDB) > 0.01 {
		t.Errorf("identical channels: r %s, balance %s dB; want 1, 0", show(same.ChannelCorrelation), show(same.ChannelBalanceDB))
	}
	inverted := analyse(Format{rate, 2}, stereo(1, -0.5))
	if *inverted.ChannelCorrelation > -0.999 || math.Abs(*inverted.ChannelBalanceDB-6.02) > 0.01 {
		t.Errorf("inverted, half the level: r %s, balance %s dB; want -1, 6.02", show(inverted.ChannelCorrelation), show(inverted.ChannelBalanceDB))
	}
	if inverted.ActiveLevelDBFS != same.ActiveLevelDBFS {
		t.Error("an inverted second channel changed the active level")
	}
	dead := analyse(Format{rate, 2}, stereo(0, 1))
	if dead.VoiceChannel != 1 || dead.ChannelCorrelation != nil || dead.ChannelRMSDBFS[0] != FloorDBFS ||
		*dead.ChannelBalanceDB > -60 || dead.ActiveLevelDBFS != same.ActiveLevelDBFS {
		t.Errorf("dead left channel: voice on %d, r %s, RMS %v", dead.VoiceChannel, show(dead.ChannelCorrelation), dead.ChannelRMSDBFS)
	}
	if mono := analyse(Format{rate, 1}, voice); mono.ChannelCorrelation != nil || mono.ChannelBalanceDB != nil {
		t.Error("mono has a correlation or a balance")
	}
}
