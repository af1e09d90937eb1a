// Package diagnose derives causes from measurements: what the fault is, which causes
// explain others, how certain that is, and what to do.
//
// The rules are pure functions of a report and a profile of limits. What was not
// measured (a nil field, a missing probe) neither triggers nor excludes a cause. A
// silent server of ours is never the participant's fault.
package diagnose

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Diagnose returns the causes found in r, the primary one first, then by severity and
// confidence, and the verdict. It ignores r.Causes and r.Verdict and does not modify r.
// The causes are never nil.
//
// The verdict is "not_ready" with a cause of severity fail and "limited" with one of
// severity warn, unless that cause only prevented a measurement; "ready" if there is
// none and everything relevant that was requested was measured (see cleared); otherwise
// "unknown".
func Diagnose(r *report.Report, p Profile) ([]report.Cause, report.Verdict) {
	f := factsOf(r, p)
	found := diagnose(f)
	causes := make([]report.Cause, 0, len(found))
	for _, d := range found {
		causes = append(causes, d.cause())
	}
	return causes, verdict(r, f, found)
}

// Finish diagnoses r by p and stores the result in it: Profile, Causes and Verdict, and
// the Status of each probe whose data proves a cause, raised to the worst severity of
// these. Call it once, before the report is shown or stored; afterwards the report is
// immutable.
func Finish(r *report.Report, p Profile) {
	found := diagnose(factsOf(r, p))
	r.Profile = p.Name
	r.Causes, r.Verdict = Diagnose(r, p)
	for i := range r.Probes {
		for _, d := range found {
			if !d.blind && proves(d, r.Probes[i].Name) {
				r.Probes[i].Status = raised(r.Probes[i].Status, d.severity)
			}
		}
	}
}

func proves(d diagnosed, probe string) bool {
	return slices.ContainsFunc(d.evidence, func(e report.Evidence) bool { return e.Probe == probe })
}

// raised returns the worse of status and s. A skipped probe remains skipped.
func raised(status report.Status, s report.Severity) report.Status {
	switch {
	case status == report.StatusSkipped, status == report.StatusFail:
		return status
	case s == report.SeverityFail:
		return report.StatusFail
	case s == report.SeverityWarn:
		return report.StatusWarn
	}
	return status
}

// diagnosed is a finding with its definition.
type diagnosed struct {
	finding
	definition Definition
	primary    bool
}

func (d diagnosed) cause() report.Cause {
	area := d.area
	if area == "" {
		area = d.definition.Area
	}
	return report.Cause{
		Code: d.definition.Code, Severity: d.severity, Primary: d.primary, Area: area, Endpoint: d.endpoint,
		Confidence: math.Round(min(1, max(0, d.confidence))*100) / 100,
		Evidence:   distinct(slices.Concat(d.evidence, d.supporting)),
	}
}

func diagnose(f *facts) []diagnosed { return diagnoseBy(f, Catalogue()) }

// diagnoseBy evaluates the definitions in the order of their positions.
func diagnoseBy(f *facts, all []Definition) []diagnosed {
	var found []diagnosed
	for _, def := range all {
		if hit := def.rule(f); hit != nil {
			found = append(found, diagnosed{finding: f.withEndpoint(*hit, def), definition: def})
		}
	}
	found = dropSilenceEvidence(found)
	found = withoutExplained(found, explainedBy(all))
	slices.SortFunc(found, byUrgency)
	if len(found) > 0 && found[0].severity != report.SeverityInfo {
		found[0].primary = true
		slices.SortFunc(found[1:], bySeverity)
	} else {
		slices.SortFunc(found, bySeverity)
	}
	return found
}

// distinct removes repeated values: several parts of a rule may refer to the same one. The first one
// remains, which has the limit.
func distinct(evidence []report.Evidence) (kept []report.Evidence) {
	for _, e := range evidence {
		if !slices.ContainsFunc(kept, func(k report.Evidence) bool { return k.Probe == e.Probe && k.Field == e.Field && k.Value == e.Value }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// dropSilenceEvidence removes the findings whose only proof is that the microphone heard
// nothing, if the microphone itself does not hear the room.
func dropSilenceEvidence(found []diagnosed) []diagnosed {
	if !slices.ContainsFunc(found, func(d diagnosed) bool { return d.definition.deaf }) {
		return found
	}
	return slices.DeleteFunc(found, func(d diagnosed) bool { return d.byEar })
}

// withoutExplained removes findings that another one explains. The explaining one takes
// over the severity, so that a cause never looks less severe than its consequence.
func withoutExplained(found []diagnosed, explained map[string]map[string]bool) []diagnosed {
	var kept []diagnosed
	for _, d := range found { // a cause precedes what it explains
		hidden := false
		for i := range kept {
			if explained[d.definition.Code][kept[i].definition.Code] && kept[i].mayExplain(d) {
				hidden = true
				if !kept[i].blind {
					kept[i].worsen(d.severity)
				}
			}
		}
		if !hidden {
			kept = append(kept, d)
		}
	}
	return kept
}

// mayExplain reports whether a finding may explain another one with regard to their
// servers. Causes in the line and in the participant's network may explain anything.
func (d diagnosed) mayExplain(other diagnosed) bool {
	oneServer := d.definition.OneServer || strings.HasPrefix(d.definition.Code, "conf.")
	return !oneServer || sameOwner(d.endpoint, other.endpoint)
}

// byUrgency sorts by what to fix first: by severity, then by position.
func byUrgency(a, b diagnosed) int {
	return cmp.Or(
		cmp.Compare(severityRank(b.severity), severityRank(a.severity)),
		cmp.Compare(a.definition.Position, b.definition.Position),
	)
}

func bySeverity(a, b diagnosed) int {
	return cmp.Or(
		cmp.Compare(severityRank(b.severity), severityRank(a.severity)),
		cmp.Compare(b.confidence, a.confidence),
		cmp.Compare(a.definition.Position, b.definition.Position),
	)
}
