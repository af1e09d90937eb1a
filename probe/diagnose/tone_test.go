package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestTonePersonHeard: the person's answer about the test sound has priority over the
// microphone: headphones do not reach it.
func TestTonePersonHeard(t *testing.T) {
	for name, c := range map[string]struct {
		loop, heard *bool
		deaf        bool
		want        bool
	}{
		"headphones that work":                       {new(false), new(true), false, false},
		"headphones that are silent":                 {new(false), new(false), false, true},
		"silent, and a muted microphone":             {new(false), new(false), true, true},
		"no answer, the microphone hears":            {new(false), nil, false, true},
		"no answer, and a deaf microphone":           {new(false), nil, true, false},
		"heard by the microphone, not by the person": {new(true), new(false), false, true},
	} {
		r := healthy()
		output(r).LoopHeard, output(r).ToneHeard = c.loop, c.heard
		if c.deaf {
			input(r).OSMuted = new(true)
			zeros(r)
		}
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if got := slices.Contains(codes(causes), "audio.speaker_silent"); got != c.want {
			t.Errorf("%s: got causes %q, want audio.speaker_silent: %t", name, codes(causes), c.want)
		}
		if err := r.Validate(); err != nil {
			t.Errorf("%s: invalid report: %v", name, err)
		}
	}
	r := report.Result{Status: report.StatusOK, Data: &report.AudioOutput{LoopHeard: new(false), ToneHeard: new(true)}}
	if got := diagnose.Standing(r); got != report.StatusOK {
		t.Errorf("got standing %s for a tone that the person heard, want %s", got, report.StatusOK)
	}
}
