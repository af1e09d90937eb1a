package words

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestPartlyTestedHasAReason: "partly tested" is never shown without the missing part and the
// reason.
func TestPartlyTestedHasAReason(t *testing.T) {
	for code, want := range map[string]string{
		"needs_link": "Zugangsdaten", "closed_protocol": "von außen", "background": "selbst die Prüfung", "unheard of": "nicht geprüft",
	} {
		c := &report.Conference{URLHost: "bbb.example.org", Reachable: new(true), Checks: []report.ConferenceCheck{
			{Name: report.StepAPI, Status: report.StatusOK}, {Name: report.StepSoundDown, Status: report.StatusUnknown, Code: code},
		}}
		r := &report.Report{Verdict: report.Ready, Probes: []report.Result{{Name: report.ProbeBBB, Status: report.StatusOK, Data: c}}}
		got := strings.Join(in(t, phrase.DE).Judgement(r), "\n")
		if !strings.Contains(got, "BigBlueButton: ") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want it to contain %q", code, got, want)
		}
		if code == "needs_link" {
			r.Probes = append(r.Probes, report.Result{Name: report.ProbeNetworkWeb, Status: report.StatusOK, Data: &report.NetworkWeb{AddressFrom: "municipality"}})
			if got := in(t, phrase.DE).Answer(r).Conference; !strings.Contains(got, "keinen Zugang") {
				t.Errorf("a target of the collector: got %q, want it to contain keinen Zugang", got)
			}
		}
		c.Checks[1].Code, c.Media = "", &report.MediaVoice{}
		if got := in(t, phrase.DE).Answer(r).Conference; got != "" {
			t.Errorf("tested: got %q, want none", got)
		}
		c.Checks = append(c.Checks[:1], report.ConferenceCheck{Name: report.StepSoundUp, Status: report.StatusOK}, report.ConferenceCheck{Name: report.StepSoundDown, Status: report.StatusOK})
		if got, want := in(t, phrase.DE).Answer(r).Heard, "BigBlueButton: Ihre Stimme kommt an und zurück."; got != want {
			t.Errorf("heard: got %q, want %q", got, want)
		}
	}
}
