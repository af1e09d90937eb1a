package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestOtherHostIsNamed: if the conference server redirects to another server, the cause names that server.
// The participant's network may be the reason why it is silent, but not why it responds with an
// error.
func TestOtherHostIsNamed(t *testing.T) {
	for code, area := range map[string]report.Area{"no_name": report.AreaUnknown, "refused": report.AreaUnknown, "502": report.AreaMunicipality, "redirected": report.AreaMunicipality} {
		r := healthy()
		r.Target = "https://bbb.example.org"
		visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", FailedStep: "sign_in", FailedCode: code, FailedHost: "bbb2.example.org"})
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		i := slices.IndexFunc(causes, func(c report.Cause) bool { return c.Code == "conf.server_error" })
		if i < 0 {
			t.Errorf("%s: got causes %q, want conf.server_error", code, codes(causes))
			continue
		}
		named := slices.ContainsFunc(causes[i].Evidence, func(e report.Evidence) bool { return e.Field == "failed_host" && e.Value == "bbb2.example.org" })
		if !named || causes[i].Area != area {
			t.Errorf("%s: got area %s, evidence %+v; want %s, the other host", code, causes[i].Area, causes[i].Evidence, area)
		}
		text, _ := diagnose.ExplainCause(causes[i], phrase.EN)
		if blames := strings.Contains(text.Sentence, "not your fault"); blames != (area == report.AreaMunicipality) {
			t.Errorf("%s: area %s, but the sentence is %q", code, area, text.Sentence)
		}
	}
}

// TestFilterIsNotTheServer: where TLS is intercepted, a page that blocks the conference system may be the
// filter's. An answer that only the system itself gives remains its fault.
func TestFilterIsNotTheServer(t *testing.T) {
	for code, byFilter := range map[string]bool{"403": true, "not_api": true, "redirect_loop": true, "503": false, "too_many_connections": false} {
		for _, intercepted := range []bool{false, true} {
			r := healthy()
			r.Target = "https://bbb.example.org"
			visited(r, report.ProbeBBB, &report.Conference{URLHost: "bbb.example.org", FailedStep: "api", FailedCode: code})
			if intercepted {
				web(r).TLSIntercepted = new(true)
			}
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			primary, blames := "conf.server_error", true
			if intercepted && byFilter {
				primary, blames = "net.tls_intercepted", false
			}
			if len(causes) == 0 || causes[0].Code != primary {
				t.Errorf("%s, intercepted %v: got causes %q, want %s first", code, intercepted, codes(causes), primary)
			}
			if got := slices.ContainsFunc(causes, func(c report.Cause) bool { return c.Area == report.AreaMunicipality }); got != blames {
				t.Errorf("%s, intercepted %v: the municipality is named: %v", code, intercepted, got)
			}
		}
	}
}
