package words

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestVoiceThroughTheConference: one line states that a conference system returned
// the voice, but not if it was only reached.
func TestVoiceThroughTheConference(t *testing.T) {
	conference := func(down report.Status) *report.Report {
		return &report.Report{Verdict: report.Ready, Probes: []report.Result{{Name: report.ProbeBBB, Status: report.StatusOK, Data: &report.Conference{
			Media:  &report.MediaVoice{State: report.MediaComplete},
			Checks: []report.ConferenceCheck{{Name: report.StepSoundUp, Status: report.StatusOK}, {Name: report.StepSoundDown, Status: down}},
		}}}}
	}
	for lang, line := range map[phrase.Lang]string{
		phrase.DE: "BigBlueButton: Ihre Stimme kommt an und zurück.", phrase.EN: "BigBlueButton: your voice arrives and comes back.",
	} {
		w, err := In(lang)
		if err != nil {
			t.Fatal(err)
		}
		if lines := w.Summary(conference(report.StatusOK)); !slices.Contains(lines, line) {
			t.Errorf("%s: %q does not contain %q", lang, lines, line)
		}
		if lines := w.Summary(conference(report.StatusUnknown)); slices.Contains(lines, line) {
			t.Errorf("%s: sound that was not returned is reported as heard", lang)
		}
	}
}
