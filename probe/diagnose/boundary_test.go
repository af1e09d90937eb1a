package diagnose_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestLimitsAtTheirEdges checks the edges of each limit of the default profile: no cause at the
// limit, a warning just beyond it, and a failure beyond the second one. Loss, jitter and round trip
// count from the limit on.
func TestLimitsAtTheirEdges(t *testing.T) {
	level := func(v float64) func(*report.Report) {
		return func(r *report.Report) { input(r).ActiveLevelDBFS = &v }
	}
	snr := func(v float64) func(*report.Report) { return func(r *report.Report) { input(r).SNRDB = &v } }
	// rumbling is a voice and a noise, of which the second values remain in the voice band.
	rumbling := func(level, bandLevel, noise, bandNoise float64) func(*report.Report) {
		return func(r *report.Report) {
			in := input(r)
			in.ActiveLevelDBFS, in.NoiseFloorDBFS, in.SNRDB = &level, &noise, new(level-noise)
			in.VoiceBandLevelDBFS, in.VoiceBandNoiseDBFS, in.VoiceBandSNRDB = &bandLevel, &bandNoise, new(bandLevel-bandNoise)
		}
	}
	clip := func(runs int, pct float64) func(*report.Report) {
		return func(r *report.Report) { input(r).ClippedRuns, input(r).ClippedPct = &runs, &pct }
	}
	hum := func(prominence, dbfs float64) func(*report.Report) {
		return func(r *report.Report) { input(r).HumProminenceDB, input(r).HumDBFS = &prominence, &dbfs }
	}
	humUnder := func(voice, dbfs float64) func(*report.Report) {
		return func(r *report.Report) {
			hum(20, dbfs)(r)
			input(r).ActiveLevelDBFS = &voice
		}
	}
	gaps := func(n int) func(*report.Report) { return func(r *report.Report) { input(r).Dropouts = &n } }
	jitter := func(v float64) func(*report.Report) { return func(r *report.Report) { voice(r).UpJitterMS = &v } }
	late := func(v float64) func(*report.Report) { return func(r *report.Report) { voice(r).LatePct60MS = &v } }
	rtt := func(v float64) func(*report.Report) { return func(r *report.Report) { voice(r).RTTP50MS = &v } }
	uncounted := func(pct float64) func(*report.Report) {
		return func(r *report.Report) { voice(r).UpLossPct, voice(r).Sent = &pct, nil }
	}
	clock := func(v float64) func(*report.Report) { return func(r *report.Report) { web(r).ClockOffsetMS = &v } }
	volume := func(db, level float64) func(*report.Report) {
		return func(r *report.Report) { input(r).OSVolumeDB, input(r).ActiveLevelDBFS = &db, &level }
	}
	tests := []struct {
		name     string
		change   func(*report.Report)
		code     string
		severity report.Severity
	}{
		{"level -40", level(-40), "", ""},
		{"level -40.1", level(-40.1), "audio.too_quiet", report.SeverityWarn},
		{"level -50", level(-50), "audio.too_quiet", report.SeverityWarn},
		{"level -50.1", level(-50.1), "audio.too_quiet", report.SeverityFail},
		{"level -16", level(-16), "", ""},
		{"level -15.9", level(-15.9), "audio.too_loud", report.SeverityWarn},
		{"volume -20", volume(-20, -45), "audio.too_quiet", report.SeverityWarn},
		{"volume -20.1", volume(-20.1, -45), "audio.os_volume_low", report.SeverityWarn},
		{"volume -40.1", volume(-40.1, -45), "audio.os_volume_low", report.SeverityFail},
		{"SNR 15", snr(15), "", ""},
		{"SNR 14.9", snr(14.9), "audio.noise", report.SeverityWarn},
		{"SNR 9.9", snr(9.9), "audio.noise", report.SeverityFail},
		{"noise, 2.9 dB of it rumble", rumbling(-26, -26, -36.1, -39), "audio.noise", report.SeverityWarn},
		{"noise, 3 dB of it rumble", rumbling(-26, -26, -39, -42), "", ""},
		{"noise besides the rumble", rumbling(-26, -26, -30, -40.9), "audio.noise", report.SeverityWarn},
		{"a quiet voice under rumble", rumbling(-35, -40.1, -36, -70), "audio.too_quiet", report.SeverityWarn},
		{"a voice under rumble", rumbling(-35, -40, -36, -70), "", ""},
		{"loud rumble", rumbling(-12, -20, -13, -60), "", ""},
		{"two clipped runs", clip(2, 2), "", ""},
		{"clipped 0.1 %", clip(3, 0.1), "", ""},
		{"clipped 0.11 %", clip(3, 0.11), "audio.clipped", report.SeverityWarn},
		{"clipped 1.1 %", clip(3, 1.1), "audio.clipped", report.SeverityFail},
		{"hum 10 dB", hum(10, -50), "", ""},
		{"hum 10.1 dB", hum(10.1, -50), "audio.hum", report.SeverityWarn},
		{"hum at -60", hum(20, -60), "", ""},
		{"hum at -59.9", hum(20, -59.9), "audio.hum", report.SeverityWarn},
		{"hum 36.1 dB under the voice", humUnder(-20, -56.1), "", ""},
		{"hum 35.9 dB under the voice", humUnder(-20, -55.9), "audio.hum", report.SeverityWarn},
		{"one gap", gaps(1), "audio.dropouts", report.SeverityWarn},
		{"four gaps", gaps(4), "audio.dropouts", report.SeverityWarn},
		{"five gaps", gaps(5), "audio.dropouts", report.SeverityFail},
		{"jitter 29.99", jitter(29.99), "", ""},
		{"jitter 30", jitter(30), "net.jitter_high", report.SeverityWarn},
		{"jitter 79.99", jitter(79.99), "net.jitter_high", report.SeverityWarn},
		{"jitter 80", jitter(80), "net.jitter_high", report.SeverityFail},
		{"late 10 %", late(10), "", ""},
		{"late 11 %", late(11), "net.jitter_high", report.SeverityWarn},
		{"late 26 %", late(26), "net.jitter_high", report.SeverityFail},
		{"round trip 399.99", rtt(399.99), "", ""},
		{"round trip 400", rtt(400), "net.latency_high", report.SeverityWarn},
		{"round trip 999.99", rtt(999.99), "net.latency_high", report.SeverityWarn},
		{"round trip 1000", rtt(1000), "net.latency_high", report.SeverityFail},
		{"loss 2.99 % of an unknown number", uncounted(2.99), "", ""},
		{"loss 3 % of an unknown number", uncounted(3), "net.upload_loss", report.SeverityWarn},
		{"clock 60 s and its uncertainty", clock(60_020), "", ""},
		{"clock beyond", clock(60_021), "net.clock_wrong", report.SeverityWarn},
		{"clock slow", clock(-60_021), "net.clock_wrong", report.SeverityWarn},
		{"band -42", func(r *report.Report) { input(r).BandRatioDB = new(-42.0) }, "", ""},
		{"band -42.1", func(r *report.Report) { input(r).BandRatioDB = new(-42.1) }, "audio.narrowband", report.SeverityWarn},
		{"band masked by noise", func(r *report.Report) { input(r).BandRatioDB, input(r).SNRDB = new(-49.0), new(9.0) }, "audio.noise", report.SeverityFail},
		{"speech 500 ms", func(r *report.Report) { input(r).SpeechMS = new(500.0) }, "", ""},
		{"speech 499 ms", func(r *report.Report) { input(r).SpeechMS = new(499.0) }, "audio.no_speech", report.SeverityWarn},
		{"deaf microphone", func(r *report.Report) { silence(r, -76) }, "audio.no_speech", report.SeverityFail},
		{"correlation -0.9", func(r *report.Report) { stereo(r, -25, -25, -0.9) }, "", ""},
		{"correlation -0.95", func(r *report.Report) { stereo(r, -25, -25, -0.95) }, "audio.inverted_channel", report.SeverityWarn},
		{"channel at -80", func(r *report.Report) { stereo(r, -80, -25, 0) }, "", ""},
		{"channel at -81", func(r *report.Report) { stereo(r, -81, -25, 0) }, "audio.dead_channel", report.SeverityWarn},
		{"both channels low", func(r *report.Report) { stereo(r, -81, -50, 0) }, "", ""},
		{"rate 2 %", func(r *report.Report) { input(r).RateErrorPct = new(-2.0) }, "", ""},
		{"rate 2.1 %", func(r *report.Report) { input(r).RateErrorPct = new(2.1) }, "audio.sample_rate_wrong", report.SeverityWarn},
		{"pause 100 ms", func(r *report.Report) { input(r).Dropouts, input(r).LongestCallbackGapMS = nil, new(100.0) }, "", ""},
		{"pause 101 ms", func(r *report.Report) { input(r).Dropouts, input(r).LongestCallbackGapMS = nil, new(101.0) }, "audio.dropouts", report.SeverityWarn},
		{"pause without dropouts", func(r *report.Report) { input(r).Dropouts, input(r).LongestCallbackGapMS = new(0), new(400.0) }, "", ""},
		{"pause 1001 ms", func(r *report.Report) { input(r).LongestCallbackGapMS = new(1001.0) }, "audio.stalled", report.SeverityWarn},
		{"first sound after 3 s", func(r *report.Report) { input(r).FirstCallbackMS = new(3001.0) }, "audio.stalled", report.SeverityWarn},
		{"DC 0.02", func(r *report.Report) { input(r).DCOffset = new(-0.02) }, "", ""},
		{"DC 0.021", func(r *report.Report) { input(r).DCOffset = new(-0.021) }, "audio.dc_offset", report.SeverityWarn},
		{"echo -10 dB", func(r *report.Report) { output(r).EchoReturnDB = new(-10.0) }, "", ""},
		{"three flat tops", func(r *report.Report) { input(r).ClippedUpstreamRuns = new(3) }, "", ""},
		{"four flat tops", func(r *report.Report) { input(r).ClippedUpstreamRuns = new(4) }, "audio.clipped_upstream", report.SeverityWarn},
		{"mSBC headset", func(r *report.Report) { input(r).IsBluetooth, input(r).NativeRateHz = new(true), new(16000) }, "audio.bluetooth_handsfree", report.SeverityInfo},
		{"zeros for 2 s", func(r *report.Report) { zeros(r); input(r).CapturedMS = new(2000.0) }, "audio.digital_silence", report.SeverityFail},
		{"zeros for less time", func(r *report.Report) {
			zeros(r)
			input(r).CapturedMS, input(r).DigitalZeroMS = new(1999.0), new(1999.0)
		}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if tt.code == "" {
				if len(causes) != 0 {
					t.Errorf("causes = %+v, want none", causes)
				}
				return
			}
			if len(causes) != 1 || causes[0].Code != tt.code || causes[0].Severity != tt.severity {
				t.Errorf("causes = %+v, want %s as %s", causes, tt.code, tt.severity)
			}
		})
	}
}
