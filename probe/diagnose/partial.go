package diagnose

import (
	"cmp"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Partial states why a conference system that responds was not tested completely.
type Partial struct {
	// Probe is the name of the probe.
	Probe string
	// Step is the code of the step in which sound would have returned, or its status if it has no
	// code; "" for an ingest, which returns none.
	Step string
	// Named means that the collector named the server, so that a missing invitation is the
	// municipality's matter.
	Named bool
}

// PartialConference returns the first conference system that was tested only in part; ok is false
// if there is none, or if a fault explains it.
func PartialConference(r *report.Report) (p Partial, ok bool) {
	for _, result := range r.Probes {
		c, isConference := result.Data.(*report.Conference)
		if !isConference || c == nil || Standing(result) != StandingPartial {
			continue
		}
		p.Probe = result.Name
		if step, found := c.Check(report.StepSoundDown); found {
			p.Step = cmp.Or(step.Code, string(step.Status))
		}
		web := report.Find[report.NetworkWeb](r)
		p.Named = web != nil && web.AddressFrom == "municipality"
		return p, true
	}
	return Partial{}, false
}
