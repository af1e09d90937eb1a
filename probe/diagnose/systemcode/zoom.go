package systemcode

import "github.com/tonprobe/tonprobe/probe/report"

// zoomCodes returns codes of Zoom's client. Zoom documents them incompletely: their meanings
// are from third parties, as the texts state. The path of the sound is closed, so a check that
// reaches Zoom's web server refutes none of them.
func zoomCodes() []Code {
	noConnection := []string{"net.captive_portal", "net.proxy_required", "net.proxy_failed"}
	reach := []report.ConferenceStep{report.StepReach}
	all := []Code{
		{Number: "3113", Area: report.AreaMunicipality},
		{Number: "5003", Area: report.AreaUnknown, Causes: noConnection, Steps: reach},
		{Number: "5004", Area: report.AreaUnknown, Causes: noConnection, Steps: reach},
	}
	for i := range all {
		all[i].System, all[i].Beyond = "zoom", true
	}
	return all
}
