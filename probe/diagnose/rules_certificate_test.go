package diagnose_test

import (
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestIncompleteChain: a server without its intermediate certificate is the municipality's matter,
// and no reason to suspect somebody in between. Most browsers accept it.
func TestIncompleteChain(t *testing.T) {
	rejected := func(incomplete *bool, key string) *report.Report {
		r := healthy()
		r.Target = "https://bbb.example.org"
		*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), TCPMS: new(20.0), TLSError: "untrusted", TLSIncomplete: incomplete, TLSKey: key, CaptivePortal: new(false)}
		return r
	}
	for name, c := range map[string]struct {
		incomplete *bool
		key        string
		severity   report.Severity
		area       report.Area
		says       string
	}{
		"complete":                 {new(false), "", report.SeverityFail, report.AreaUnknown, "nicht richtig ausweisen"},
		"unknown":                  {nil, "", report.SeverityFail, report.AreaUnknown, "nicht richtig ausweisen"},
		"incomplete":               {new(true), "", report.SeverityWarn, report.AreaMunicipality, "ein Teil seines Ausweises"},
		"incomplete, intercepted":  {new(true), "foreign", report.SeverityFail, report.AreaUnknown, "nicht richtig ausweisen"},
		"complete, own key proved": {new(false), "own", report.SeverityFail, report.AreaMunicipality, "nicht richtig ausweisen"},
	} {
		causes, _ := diagnose.Diagnose(rejected(c.incomplete, c.key), profile(t, "bbb"))
		if len(causes) == 0 || causes[0].Code != "conf.cert_invalid" || causes[0].Severity != c.severity || causes[0].Area != c.area {
			t.Errorf("%s: got %+v, want conf.cert_invalid, %s, %s", name, causes, c.severity, c.area)
			continue
		}
		if text, _ := diagnose.ExplainCause(causes[0], phrase.DE); !strings.Contains(text.Sentence, c.says) {
			t.Errorf("%s: got %q, want %q", name, text.Sentence, c.says)
		}
	}
}
