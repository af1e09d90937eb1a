package diagnose

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestMixOfChannels: others hear the mean of several channels.
func TestMixOfChannels(t *testing.T) {
	p, err := LoadProfile(DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	voice := func(level, mix float64, channels, on int) *report.AudioInput {
		return &report.AudioInput{
			State: report.CaptureComplete, CapturedMS: new(6000.0), SpeechMS: new(4000.0), NativeChannels: &channels,
			ActiveLevelDBFS: &level, RMSDBFS: new(level - 3), MixLevelDBFS: &mix, VoiceChannel: &on,
		}
	}
	side := func(in *report.AudioInput, left, right float64) *report.AudioInput {
		in.LeftRMSDBFS, in.RightRMSDBFS = &left, &right
		return in
	}
	for name, tt := range map[string]struct {
		in       *report.AudioInput
		want     string
		severity report.Severity
	}{
		"one of four, loud enough":      {voice(-26, -38, 4, 3), "", ""},
		"one of four, just too quiet":   {voice(-29, -41, 4, 3), "audio.too_quiet", report.SeverityWarn},
		"one of eight, far too quiet":   {voice(-33, -51.1, 8, 5), "audio.too_quiet", report.SeverityFail},
		"on all four":                   {voice(-26, -26, 4, 1), "", ""},
		"one side of two":               {side(voice(-26, -32, 2, 1), -28, -95), "audio.dead_channel", report.SeverityWarn},
		"one side of two, and softly":   {side(voice(-38, -44, 2, 1), -40, -95), "audio.dead_channel", report.SeverityWarn},
		"two of four cancel each other": {voice(-26, -60, 4, 1), "audio.inverted_channel", report.SeverityFail},
		"silent mean":                   {voice(-26, -100, 8, 1), "audio.inverted_channel", report.SeverityFail},
	} {
		causes, _ := Diagnose(onlyInput(tt.in), p)
		got := report.Cause{}
		if len(causes) > 0 && causes[0].Primary {
			got = causes[0]
		}
		if got.Code != tt.want || got.Severity != tt.severity {
			t.Errorf("%s: got %q (%s), want %q (%s)", name, got.Code, got.Severity, tt.want, tt.severity)
		}
	}
}
