package signal

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// wantHealthy reports every value that would indicate a fault.
func wantHealthy(t *testing.T, what string, r Analysis) {
	t.Helper()
	if r.SpeechMS < 0.35*r.DurationMS {
		t.Errorf("%s: %.0f ms of %.0f ms classified as speech, want at least 35 %%", what, r.SpeechMS, r.DurationMS)
	}
	if r.ClippedRuns > 0 || r.ClippedPct > 0.01 || r.ClippedUpstreamRuns > 0 {
		t.Errorf("%s: clipped: %d runs, %.3f %%, %d upstream at %s; want none", what, r.ClippedRuns, r.ClippedPct, r.ClippedUpstreamRuns, show(r.ClipLevelDBFS))
	}
	if r.SNRDB != nil && *r.SNRDB < 20 {
		t.Errorf("%s: SNR %.1f dB, want at least 20", what, *r.SNRDB)
	}
	if r.HumHz != nil {
		t.Errorf("%s: hum of %s Hz at %s dBFS, %s dB above; want none", what, show(r.HumHz), show(r.HumDBFS), show(r.HumAboveDB))
	}
	if r.BandRatioDB == nil || *r.BandRatioDB < -32 || r.BandwidthHz == nil || *r.BandwidthHz < 6500 {
		t.Errorf("%s: bandwidth %s Hz, 4-7 kHz at %s dB; want at least 6500 Hz, -32 dB", what, show(r.BandwidthHz), show(r.BandRatioDB))
	}
	if r.Dropouts > 0 {
		t.Errorf("%s: %d dropouts, longest %.0f ms; want none", what, r.Dropouts, r.LongestGapMS)
	}
	if math.Abs(r.DCOffset) > 0.01 {
		t.Errorf("%s: DC offset %.3f, want 0", what, r.DCOffset)
	}
}

func TestHealthyVoicesShowNoFault(t *testing.T) {
	for _, voice := range voices {
		for _, rate := range []int{16000, 48000} {
			what := voice.name + " at " + strconv.Itoa(rate)
			clean := spoken(t, voice.name, voice.text, rate)
			wantHealthy(t, what+", as synthesised", analyse(Format{rate, 1}, clean))
			heard := microphone(clean, rate)
			r := analyse(Format{rate, 1}, heard)
			wantHealthy(t, what+", by a microphone", r)
			if r.NoiseFloorDBFS == nil || math.Abs(*r.NoiseFloorDBFS+66) > 1.5 {
				t.Errorf("%s: noise floor %s dBFS, want -66", what, show(r.NoiseFloorDBFS))
			}
			soft := make([]float32, len(heard))
			for i := range heard {
				soft[i] = heard[i] * 0.03
			}
			s := analyse(Format{rate, 1}, soft)
			if s.SpeechMS < 0.8*r.SpeechMS || math.Abs(r.ActiveLevelDBFS-s.ActiveLevelDBFS-30.46) > 0.1 {
				t.Errorf("%s, 30 dB softer: %.0f ms of speech at %.1f dBFS, was %.0f ms at %.1f dBFS",
					what, s.SpeechMS, s.ActiveLevelDBFS, r.SpeechMS, r.ActiveLevelDBFS)
			}
		}
	}
}

func TestVoiceFaultsAreFound(t *testing.T) {
	const rate = 48000
	for _, voice := range voices {
		heard := microphone(spoken(t, voice.name, voice.text, rate), rate)
		analyseFault := func(change func(i int, x float32) float32) Analysis {
			faulty := make([]float32, len(heard))
			for i, x := range heard {
				faulty[i] = change(i, x)
			}
			return analyse(Format{rate, 1}, faulty)
		}
		clip := func(x, level float32) float32 { return max(-level, min(level, x)) }

		if r := analyseFault(func(_ int, x float32) float32 { return clip(x*16, 1) }); r.ClippedRuns < 3 || r.ClippedPct < 0.1 {
			t.Errorf("%s clipped by 24 dB: %d runs, %.3f %%; want at least 3 runs, 0.1 %%", voice.name, r.ClippedRuns, r.ClippedPct)
		}
		upstream := analyseFault(func(_ int, x float32) float32 { return clip(x*16, 1) * 0.3 })
		if upstream.ClippedUpstreamRuns < 3 || upstream.ClippedRuns > 0 || math.Abs(*upstream.ClipLevelDBFS+10.46) > 0.1 {
			t.Errorf("%s clipped and turned down: %d runs at %s dBFS; want at least 3 at -10.46 dBFS, none at full scale", voice.name, upstream.ClippedUpstreamRuns, show(upstream.ClipLevelDBFS))
		}
		hum := func(i int, hz float64) float32 {
			return float32(0.005 * math.Sin(2*math.Pi*hz*float64(i)/rate))
		}
		for _, hz := range []float64{50, 60, 100, 150} {
			r := analyseFault(func(i int, x float32) float32 { return x + hum(i, hz) })
			base := 50.0
			if hz == 60 {
				base = 60
			}
			if r.HumHz == nil || *r.HumHz != base || math.Abs(*r.HumDBFS+49) > 4 {
				t.Errorf("%s with %g Hz at -49 dBFS: %s Hz at %s dBFS, want %g Hz at about -49", voice.name, hz, show(r.HumHz), show(r.HumDBFS), base)
			}
		}
		for _, snr := range []float64{20, 12, 8} {
			r := analyse(Format{rate, 1}, addNoise(heard, -26-snr))
			if r.NoiseFloorDBFS == nil || math.Abs(*r.NoiseFloorDBFS+26+snr) > 1 || r.SNRDB == nil {
				t.Errorf("%s in noise of %g dBFS: floor %s dBFS, SNR %s dB, %.0f ms of speech", voice.name, -26-snr,
					show(r.NoiseFloorDBFS), show(r.SNRDB), r.SpeechMS)
			}
		}
		cuts := 0
		dropped := analyseFault(func(i int, x float32) float32 {
			if i%(rate/2) == 0 {
				cuts++
			}
			if i%(rate/2) < rate/40 {
				return 0
			}
			return x
		})
		if dropped.Dropouts < cuts/3 || math.Abs(dropped.LongestGapMS-25) > 0.1 {
			t.Errorf("%s with %d gaps of 25 ms, some in pauses: %d found, longest %.1f ms; want at least %d of 25 ms", voice.name, cuts, dropped.Dropouts, dropped.LongestGapMS, cuts/3)
		}
	}
}

func TestTelephoneBandIsFound(t *testing.T) {
	need.Full(t, "analyses many recordings")
	for _, voice := range voices {
		narrow := microphone(spoken(t, voice.name, voice.text, 8000), 8000)
		if r := analyse(Format{8000, 1}, narrow); r.BandRatioDB == nil || *r.BandRatioDB != bandRatioFloorDB || *r.BandwidthHz > 4001 {
			t.Errorf("%s at 8 kHz: bandwidth %s Hz, 4-7 kHz at %s dB; want at most 4001 Hz, %v dB", voice.name, show(r.BandwidthHz), show(r.BandRatioDB), bandRatioFloorDB)
		}
		wide := addNoise(resampled(t, narrow, 8000, 48000), -75)
		if r := analyse(Format{48000, 1}, wide); r.BandRatioDB == nil || *r.BandRatioDB > -42 || *r.BandwidthHz > 4700 {
			t.Errorf("%s resampled through 8 kHz: bandwidth %s Hz, 4-7 kHz at %s dB; want at most 4700 Hz, -42 dB", voice.name, show(r.BandwidthHz), show(r.BandRatioDB))
		}
	}
}

func resampled(t *testing.T, samples []float32, fromHz, toHz int) []float32 {
	t.Helper()
	return decoded(t, floatWAV(t, samples, fromHz), toHz)
}

// TestLoudnessAgreesWithFFmpeg: the loudness of speech agrees with ffmpeg's ebur128 filter.
func TestLoudnessAgreesWithFFmpeg(t *testing.T) {
	need.Full(t, "analyses many recordings")
	need.Programs(t, "espeak-ng", "ffmpeg")
	for i, voice := range voices {
		for _, rate := range [][]int{{48000}, {44100}, {16000}}[i%3] {
			samples := microphone(spoken(t, voice.name, voice.text, rate), rate)
			file := floatWAV(t, samples, rate)
			// The same signal on both channels, like a mono microphone. The
			// metadata have three decimals, the summary only one.
			out, err := exec.Command("ffmpeg", "-hide_banner", "-nostats", "-v", "error", "-i", file, "-filter_complex",
				"pan=stereo|c0=c0|c1=c0,ebur128=metadata=1,ametadata=mode=print:key=lavfi.r128.I:file=-", "-f", "null", "-").CombinedOutput()
			if err != nil {
				t.Fatalf("ffmpeg ebur128: %v: %s", err, out)
			}
			found := regexp.MustCompile(`lavfi\.r128\.I=(-?[0-9.]+)`).FindAllSubmatch(out, -1)
			if len(found) == 0 {
				t.Fatalf("no loudness in ffmpeg's output: %s", out)
			}
			want, _ := strconv.ParseFloat(string(found[len(found)-1][1]), 64)
			if got := analyse(Format{rate, 1}, samples).IntegratedLUFS; got == nil || math.Abs(*got-want) > 0.1 {
				t.Errorf("%s at %d Hz: got %s LUFS, want %.3f as measured by ffmpeg", voice.name, rate, show(got), want)
			}
		}
	}
}

func floatWAV(t *testing.T, samples []float32, rateHz int) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "samples.wav")
	if err := os.WriteFile(file+".f32", floatBytes(samples), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "f32le", "-ar", strconv.Itoa(rateHz), "-ac", "1", "-i", file+".f32",
		"-c:a", "pcm_f32le", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return file
}
