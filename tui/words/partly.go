package words

import (
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// partlyTested states why the sound of a conference system was not tested although the
// system responds; "" if it was tested, or if a fault explains it.
func (w Words) partlyTested(r *report.Report) string {
	p, ok := diagnose.PartialConference(r)
	if !ok {
		return ""
	}
	reason := "other"
	switch {
	case p.Step == "":
		reason = "stream"
	case p.Step == "needs_link" && p.Named:
		reason = "no_access" // the collector knows the server, and received no invitation
	case w.Has("partly." + p.Step):
		reason = p.Step
	}
	return w.T("partly."+reason, "system", w.Probe(p.Probe))
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
