package diagnose_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestNamesThatFail: the action for a fault of the line differs from that for a wrong
// address, and a wrong address of our collector is not the participant's fault.
func TestNamesThatFail(t *testing.T) {
	const target = "https://bbb.example.org"
	for name, c := range map[string]struct {
		target, kind string
		reached      bool // our reflector was
		online       bool
		severity     report.Severity // "": no cause about names
		area         report.Area
		verdict      report.Verdict
	}{
		"no response, the line works":       {target, "timeout", false, true, report.SeverityFail, report.AreaParticipant, report.NotReady},
		"no response, line unknown":         {target, "timeout", false, false, "", "", report.Unknown},
		"refused":                           {target, "refused", false, true, report.SeverityFail, report.AreaParticipant, report.NotReady},
		"server failure":                    {target, "servfail", false, true, report.SeverityFail, report.AreaParticipant, report.NotReady},
		"server failure for this name only": {target, "servfail", true, true, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"cut off":                           {target, "truncated", false, true, report.SeverityFail, report.AreaParticipant, report.NotReady},
		"mistyped":                          {target, "not_found", true, true, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"mistyped, no reflector":            {target, "not_found", false, true, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"from the search domain":            {target, "search_domain", true, true, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"hidden by the router":              {target, "hidden", true, true, report.SeverityFail, report.AreaParticipant, report.NotReady},
		"redirected":                        {target, "hijacked", true, true, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"the collector's does not exist":    {"", "not_found", false, true, report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"the collector's is hidden":         {"", "hidden", false, true, report.SeverityWarn, report.AreaParticipant, report.Unknown},
		"redirected, line unknown":          {target, "hijacked", false, false, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"the collector's is redirected":     {"", "hijacked", false, true, report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"the collector's, search domain":    {"", "search_domain", false, true, report.SeverityWarn, report.AreaMunicipality, report.Unknown},
	} {
		r := healthy()
		r.Target = c.target
		*web(r) = report.NetworkWeb{DNSError: c.kind, Proxy: "none"}
		if c.online {
			web(r).Online = new(true)
		}
		if !c.reached {
			*path(r) = report.NetworkPath{}
			noReflector(r)
		}
		causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
		if c.severity == "" {
			if len(causes) > 0 {
				t.Errorf("%s: got %+v, want no cause", name, causes)
			}
			continue
		}
		if len(causes) == 0 || causes[0].Code != "net.dns_failure" || causes[0].Severity != c.severity || causes[0].Area != c.area || verdict != c.verdict {
			t.Errorf("%s: got verdict %s, %+v, want %s and net.dns_failure (%s, %s)", name, verdict, causes, c.verdict, c.severity, c.area)
		}
	}
}

func TestDeadFirstNameServerIsSlow(t *testing.T) {
	for silent, want := range map[bool]report.Verdict{true: report.Limited, false: report.Ready} {
		r := healthy()
		web(r).DNSServerSilent, web(r).DNSMS = &silent, new(999.0)
		causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
		if verdict != want || silent && (len(causes) != 1 || causes[0].Code != "net.dns_slow") {
			t.Errorf("silent %t: got verdict %s, %+v, want %s, and net.dns_slow if silent", silent, verdict, causes, want)
		}
	}
}
