package main

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/words"
)

// TestStepText: a step that was not tested says so once.
func TestStepText(t *testing.T) {
	w, err := words.In(phrase.DE)
	if err != nil {
		t.Fatal(err)
	}
	terms := diagnose.Glossary{}.In(phrase.DE)
	for _, c := range []struct {
		step report.ConferenceCheck
		want string
	}{
		{report.ConferenceCheck{Name: report.StepKeys, Status: report.StatusUnknown, Code: "step_before"}, "Verschlüsselung: nicht geprüft, ein Schritt davor ist gescheitert"},
		{report.ConferenceCheck{Name: report.StepPath, Status: report.StatusFail, Code: "no_path", MS: new(3000.4)}, "Verbindung für Ton: gestört, keine Verbindung für Ton gefunden, 3000\u00a0ms"},
		{report.ConferenceCheck{Name: report.StepCall, Status: report.StatusOK, MS: new(5.0)}, "Anruf: in Ordnung, 5\u00a0ms"},
	} {
		if got := stepText(c.step, w, terms); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
