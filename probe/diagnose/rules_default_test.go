package diagnose_test

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestCommunicationsDevice: a default communications device matters only if it is muted or did
// not hear the voice, and limits a session only with Zoom, which uses it.
func TestCommunicationsDevice(t *testing.T) {
	zoom := func(r *report.Report) {
		r.Target = "https://zoom.us"
		visited(r, report.ProbeZoom, &report.Conference{URLHost: "zoom.us", Reachable: new(true)})
	}
	comms := func(muted, heard *bool) func(r *report.Report) {
		return func(r *report.Report) {
			input(r).CommsDevice, input(r).CommsMuted, input(r).CommsHeard = "Headset", muted, heard
		}
	}
	for name, c := range map[string]struct {
		change   []func(*report.Report)
		severity report.Severity // "" for no cause
		verdict  report.Verdict
	}{
		"unknown":              {[]func(*report.Report){comms(nil, nil), zoom}, "", report.Ready},
		"heard":                {[]func(*report.Report){comms(new(false), new(true)), zoom}, "", report.Ready},
		"not heard, Zoom":      {[]func(*report.Report){comms(new(false), new(false)), zoom}, report.SeverityWarn, report.Limited},
		"muted, Zoom":          {[]func(*report.Report){comms(new(true), nil), zoom}, report.SeverityWarn, report.Limited},
		"not heard, otherwise": {[]func(*report.Report){comms(new(false), new(false))}, report.SeverityInfo, report.Ready},
		"muted, otherwise":     {[]func(*report.Report){comms(new(true), new(false))}, report.SeverityInfo, report.Ready},
	} {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			for _, change := range c.change {
				change(r)
			}
			causes, verdict := diagnose.Diagnose(r, profile(t, "zoom"))
			if c.severity == "" {
				if len(causes) > 0 || verdict != c.verdict {
					t.Fatalf("got %q, %s; want %s without a cause", codes(causes), verdict, c.verdict)
				}
				return
			}
			if len(causes) != 1 || causes[0].Code != "audio.not_default" || causes[0].Severity != c.severity || verdict != c.verdict {
				t.Fatalf("got %+v, %s; want only audio.not_default, %s, %s", causes, verdict, c.severity, c.verdict)
			}
			text, _ := diagnose.ExplainCause(causes[0], phrase.DE)
			if !strings.Contains(text.Sentence, "Zoom") || strings.Contains(text.Sentence+text.Action, "{") {
				t.Errorf("got %q %q, want Zoom and no placeholder", text.Sentence, text.Action)
			}
		})
	}
}
