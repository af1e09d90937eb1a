package diagnose_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestThePauseOfAChangeOfMicrophoneIsNotAStall: the pause of a change to another
// microphone is part of the change, unless the sound never resumes.
func TestThePauseOfAChangeOfMicrophoneIsNotAStall(t *testing.T) {
	for _, tt := range []struct {
		moved   bool
		gapMS   float64
		state   report.CaptureState
		firstMS float64
		want    string
	}{
		{true, 2500, report.CaptureComplete, 100, "audio.rerouted"},
		{false, 2500, report.CaptureComplete, 100, "audio.stalled"},
		{true, 2500, report.CaptureStalled, 100, "audio.rerouted"},
		{false, 100, report.CaptureStalled, 100, "audio.stalled"},
		{true, 900, report.CaptureComplete, 4000, "audio.stalled"},
	} {
		r := healthy()
		in := report.Find[report.AudioInput](r)
		in.Rerouted, in.LongestCallbackGapMS, in.State, in.FirstCallbackMS = &tt.moved, &tt.gapMS, tt.state, &tt.firstMS
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if len(causes) == 0 || causes[0].Code != tt.want {
			t.Errorf("%+v: got %q, want %q first", tt, codes(causes), tt.want)
		}
	}
}

// TestBusyComputerIsNotAMicrophoneFault: if the computer was also too slow for the
// voice stream, it is unknown whether the microphone stopped: there is no cause, and
// the result is not good.
func TestBusyComputerIsNotAMicrophoneFault(t *testing.T) {
	for _, state := range []report.CaptureState{report.CaptureStalled, report.CaptureComplete} {
		for check, want := range map[string]report.Verdict{"ok": "", "void": report.Unknown} {
			r := healthy()
			in, voice := report.Find[report.AudioInput](r), report.Find[report.MediaVoice](r)
			in.State, in.LongestCallbackGapMS, voice.SelfCheck = state, new(2500.0), check
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if len(causes) == 0 || causes[0].Code != "audio.stalled" || causes[0].Primary != (check == "ok") {
				t.Errorf("%s, self-check %s: got %+v, want audio.stalled, primary %t", state, check, causes, check == "ok")
			}
			if want != "" && verdict != want {
				t.Errorf("%s, self-check %s: got verdict %s, want %s", state, check, verdict, want)
			}
		}
	}
}
