package station

import (
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestIncidentReport: the report of a lost Wi-Fi connection is valid, and contains what
// support needs.
func TestIncidentReport(t *testing.T) {
	now := time.Date(2026, 3, 2, 18, 5, 0, 0, time.UTC)
	e := report.HostEvent{At: now.Add(-2 * time.Minute), Kind: report.EventWiFiDropped, Program: "Zoom", DurationS: new(40.0)}
	i := recorder.Incident{
		Event: e, Crash: &report.HostCrash{Events: []report.HostEvent{e}},
		History: recorder.History([]recorder.Sample{{At: now.Add(-time.Minute), Link: "none"}}, e, 2),
	}
	r, err := incidentReport(i, "5f0f6a3e-7a4c-4a53-9d0e-3f1a52b4c6d7", "1.0.0", diagnose.DefaultProfile, now)
	if err != nil || r.Trigger != report.TriggerEvent || r.Verdict != report.Unknown || len(r.Causes) != 1 {
		t.Fatalf("got %+v, %v, want an unknown verdict of an event with one cause", r, err)
	}
	text, _ := diagnose.ExplainCause(r.Causes[0], phrase.DE)
	if text.Sentence != "Ihr Zoom ist nicht abgestürzt: Ihr WLAN war 40 Sekunden unterbrochen." {
		t.Errorf("got sentence %q, want %q", text.Sentence, "Ihr Zoom ist nicht abgestürzt: Ihr WLAN war 40 Sekunden unterbrochen.")
	}
	doc, err := r.Encode()
	if err != nil || len(doc) > 32<<10 {
		t.Errorf("got %d bytes, %v, want at most %d", len(doc), err, 32<<10)
	}
	if h := report.Find[report.HostHistory](r); h == nil || *h.Suppressed != 2 || *h.Minutes[0].AwayS != 2 {
		t.Errorf("got %+v, want 2 suppressed and 2 s away", h)
	}
}
