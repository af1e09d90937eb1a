package conferencetest

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Causes returns the areas of the causes that a report with this check only has, by their codes.
func Causes(t testing.TB, probe string, c *report.Conference) map[string]report.Area {
	t.Helper()
	profile, err := diagnose.LoadProfile("")
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{Target: "https://" + c.URLHost, Probes: []report.Result{{Name: probe, Version: 1, Status: report.StatusWarn, Data: c}}}
	causes, _ := diagnose.Diagnose(r, profile)
	areas := map[string]report.Area{}
	for _, cause := range causes {
		areas[cause.Code] = cause.Area
	}
	return areas
}
