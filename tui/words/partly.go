package words

import (
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// partlyTested states why the sound of a conference system was not tested although the
// system responds; "" if it was tested, or if a fault explains it.
func (w Words) partlyTested(r *report.Report) string {
	for _, p := range r.Probes {
		c, ok := p.Data.(*report.Conference)
		if !ok || c == nil || diagnose.Standing(p) != diagnose.StandingPartial {
			continue
		}
		reason := "other"
		if step, found := c.Check(report.StepSoundDown); !found {
			reason = "stream" // an ingest
		} else if w.Has("partly." + step.Code) {
			reason = step.Code
		}
		if web := report.Find[report.NetworkWeb](r); reason == "needs_link" && web != nil && web.AddressFrom == "municipality" {
			reason = "no_access" // the collector knows the server, and received no invitation
		}
		return w.T("partly."+reason, "system", w.Probe(p.Name))
	}
	return ""
}

// heardThere states that a conference system returned the voice; "" if none did.
func (w Words) heardThere(r *report.Report) string {
	for _, p := range r.Probes {
		if standing := diagnose.Standing(p); standing == diagnose.StandingHeard {
			return w.T("plain.done", "probe", w.Probe(p.Name), "state", w.State(standing))
		}
	}
	return ""
}
