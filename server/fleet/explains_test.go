package fleet_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
)

// TestExplains: a common cause explains only the kinds of faults that it produces.
func TestExplains(t *testing.T) {
	var (
		loss    = report.Cause{Code: "net.access_loss", Severity: report.SeverityFail, Area: report.AreaProvider}
		wifi    = report.Cause{Code: "net.wifi_weak", Severity: report.SeverityWarn, Area: report.AreaParticipant}
		muted   = report.Cause{Code: "audio.os_muted", Severity: report.SeverityFail, Area: report.AreaParticipant}
		down    = report.Cause{Code: "conf.server_down", Severity: report.SeverityFail, Area: report.AreaMunicipality, Endpoint: report.EndpointConference}
		ownDown = report.Cause{Code: "net.server_down", Severity: report.SeverityFail, Area: report.AreaMunicipality}
		hint    = report.Cause{Code: "net.access_loss", Severity: report.SeverityInfo, Area: report.AreaProvider}
	)
	for _, c := range []struct {
		name string
		f    fleet.Finding
		want []report.Cause
		not  []report.Cause
	}{
		{"provider", fleet.Finding{Code: fleet.CodeProvider, Key: "AS64500"}, []report.Cause{loss, down, ownDown}, []report.Cause{wifi, muted, hint}},
		{"conference", fleet.Finding{Code: fleet.CodeServer, Key: "bbb.example.org"}, []report.Cause{loss, down}, []report.Cause{wifi, muted, ownDown}},
		{"own server", fleet.Finding{Code: fleet.CodeServer, Key: fleet.Own}, []report.Cause{ownDown}, []report.Cause{loss, down, wifi, muted}},
		{"site", fleet.Finding{Code: fleet.CodeSite, Key: "203.0.113.0/24"}, []report.Cause{loss, down, ownDown, wifi}, []report.Cause{muted}},
		{"version", fleet.Finding{Code: fleet.CodeVersion, Key: "1.4.0 windows"}, []report.Cause{muted}, []report.Cause{loss, down, wifi}},
		{"unknown", fleet.Finding{Code: "fleet.other"}, nil, []report.Cause{loss, muted}},
	} {
		for _, cause := range c.want {
			if !c.f.Explains(cause) {
				t.Errorf("%s does not explain %s", c.name, cause.Code)
			}
		}
		for _, cause := range c.not {
			if c.f.Explains(cause) {
				t.Errorf("%s explains %s with severity %s", c.name, cause.Code, cause.Severity)
			}
		}
	}
}
