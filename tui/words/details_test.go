package words

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestACauseNamesTheServer(t *testing.T) {
	w, err := In(phrase.DE)
	if err != nil {
		t.Fatal(err)
	}
	for endpoint, want := range map[report.Endpoint]string{
		report.EndpointConference: "Gemessen zu: Konferenz-Server",
		report.EndpointReflector:  "Gemessen zu: Reflektor des Prüf-Servers",
		report.EndpointCollector:  "Gemessen zu: Prüf-Server",
	} {
		r := &report.Report{Causes: []report.Cause{{Code: "net.upload_loss", Severity: report.SeverityWarn, Endpoint: endpoint}}}
		if lines := w.Found(r)[0].Lines; !slices.Contains(lines, want) {
			t.Errorf("%q does not contain %q", lines, want)
		}
	}
	r := &report.Report{Causes: []report.Cause{{Code: "audio.os_muted", Severity: report.SeverityFail}}}
	for _, line := range w.Found(r)[0].Lines {
		if strings.HasPrefix(line, "Gemessen") {
			t.Errorf("a microphone is shown with a server: %q", line)
		}
	}
}
