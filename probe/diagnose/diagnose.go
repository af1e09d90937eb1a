// Package diagnose turns what was measured into causes: which trouble there
// is, which of them explains the others, how sure that is, and what to do.
//
// The rules are pure functions of a report and a profile of limits. What was
// not measured (a nil field, a probe that is not there) never fires a rule and
// never clears one. The silence of our own server is never the participant's
// fault.
package diagnose

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Diagnose returns the causes found in r, the primary one first, then by
// severity and confidence, and the verdict. r.Causes and r.Verdict are ignored
// and r is not changed. The causes are never nil.
//
// The verdict is "not_ready" with a cause of severity fail, "limited" with one
// of severity warn, both unless that cause only kept Tonprobe from measuring;
// "ready" when there is none and everything asked for that matters was
// measured (see cleared); "unknown" otherwise.
func Diagnose(r *report.Report, p Profile) ([]report.Cause, report.Verdict) {
	f := factsOf(r, p)
	found := diagnose(f)
	causes := make([]report.Cause, 0, len(found))
	for _, d := range found {
		causes = append(causes, d.cause())
	}
	return causes, verdict(r, f, found)
}

// Finish diagnoses r by p and writes the result into it: Profile, Causes and
// Verdict, and the Status of each probe whose data proves a cause, raised to
// the worst severity among them. Call it once, before the report is shown or
// kept; after that a report does not change.
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

// raised returns the worse of status and s. A skipped probe stays skipped.
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

// diagnosed is a finding with its place in the catalogue.
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
		Evidence:   slices.Concat(d.evidence, d.supporting),
	}
}

func diagnose(f *facts) []diagnosed { return diagnoseBy(f, Catalogue()) }

// diagnoseBy takes the causes in the order of their positions.
func diagnoseBy(f *facts, all []Definition) []diagnosed {
	var found []diagnosed
	for _, def := range all {
		if hit := def.rule(f); hit != nil {
			found = append(found, diagnosed{finding: f.withEndpoint(*hit, def), definition: def})
		}
	}
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

// withoutExplained drops what another finding explains. The one that explains
// takes over the severity, so that naming the cause never makes the trouble
// look smaller than its consequence.
func withoutExplained(found []diagnosed, explained map[string]map[string]bool) []diagnosed {
	var kept []diagnosed
	for _, d := range found { // a cause comes before what it explains
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

// mayExplain reports whether the servers that two findings speak of let one explain the
// other. The line and the participant's network explain whatever server shows it.
func (d diagnosed) mayExplain(other diagnosed) bool {
	oneServer := d.definition.OneServer || strings.HasPrefix(d.definition.Code, "conf.")
	return !oneServer || sameOwner(d.endpoint, other.endpoint)
}

// byUrgency puts first what is to be fixed first: the worst, and of equally
// bad ones the earlier of the catalogue.
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
