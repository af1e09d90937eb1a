// Package fleet finds what participants have in common when several are disturbed at
// once: the conference server, the collector's own servers, the provider, the site or the
// program's version. Support can then name the common cause and blames no single
// participant.
//
// Everything here is a pure function of observations. The model compares two explanations
// of the same checks: the faults occurred independently of each other, at the usual rate
// of this collector, or the members of one group share a fault. docs/fleet.md shows how
// often the result is right.
package fleet

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Codes of the common causes.
const (
	CodeServer   = "fleet.server_side"
	CodeProvider = "fleet.provider_common"
	CodeSite     = "fleet.site_common"
	CodeVersion  = "fleet.version_common"
)

// Own is the key of findings about the collector's own servers.
const Own = "collector"

// MinAffected is the smallest number of participants that a common cause can have. Two
// disturbed members of a council are not a pattern.
const MinAffected = 3

// Threshold is the minimum probability of a finding.
const Threshold = 0.95

// maxFindings limits the number of simultaneous common causes.
const maxFindings = 3

// windows are the possible durations of a fault. Checks from before the fault began would
// count as evidence against it; a window that is too short contains too few checks.
var windows = [...]time.Duration{3 * time.Minute, 6 * time.Minute, 12 * time.Minute, 24 * time.Minute, Longest}

// Longest is how far back Find looks for disturbed checks. Older observations only show
// whether a participant was disturbed before.
const Longest = 45 * time.Minute

// Finding is a common cause.
type Finding struct {
	// Code is one of the codes of this package.
	Code string
	// Key identifies the group: the host of the conference server or Own, the provider,
	// the network of the site, or version and operating system.
	Key string
	// From and To are the bounds of the time in which checks were compared.
	From, To time.Time
	// Affected contains the disturbed members of the group, in the order of their checks.
	Affected []string
	// Members is the number of members that were checked, including those in Affected.
	Members int
	// ElsewhereAffected of the ElsewhereMembers participants outside the group had the
	// same kinds of faults.
	ElsewhereAffected, ElsewhereMembers int
	// UsualPct is the percentage of checks that usually have such faults.
	UsualPct float64
	// Probability is between 0 and 1.
	Probability float64

	kinds []Faults // of each affected participant
	over  bool     // the fault has ended
}

// Kind returns which of the texts about common causes belongs to f: server, own, provider, site or
// version.
func (f Finding) Kind() string {
	switch {
	case f.Code == CodeServer && f.Key == Own:
		return "own"
	case f.Code == CodeServer:
		return "server"
	case f.Code == CodeProvider:
		return "provider"
	case f.Code == CodeSite:
		return "site"
	}
	return "version"
}

// Explains reports whether f can be the reason for a cause that a check of an affected participant found. A muted
// microphone, for example, is not explained by a fault of the provider.
func (f Finding) Explains(c report.Cause) bool {
	if c.Severity == report.SeverityInfo {
		return false
	}
	own := f.Code == CodeServer && f.Key == Own
	for _, d := range dimensions {
		if d.code == f.Code && (d.counts == OwnServer) == own {
			return kindOf(c.Code, c.Endpoint, c.Area)&d.counts != 0
		}
	}
	return false
}

// dimension is one property that participants can have in common.
type dimension struct {
	code string
	// logPrior is the logarithm of the prior probability that some group of this
	// dimension shares a fault.
	logPrior float64
	// counts contains the kinds of faults that such a common cause produces.
	counts Faults
	// explained contains kinds of faults of the participant's own equipment. A check with
	// one of them is not evidence about the group.
	explained Faults
	key       func(Observation) string
}

var dimensions = [...]dimension{
	{CodeServer, logServer, Conference | Line, Local, func(o Observation) string { return o.Server }},
	{CodeServer, logServer, OwnServer, 0, func(o Observation) string { return Own }},
	{CodeProvider, logProvider, Conference | Line | OwnServer, Local, func(o Observation) string { return o.Provider }},
	{CodeSite, logSite, Conference | Line | OwnServer | Local, 0, func(o Observation) string { return o.Site }},
	{CodeVersion, logVersion, Sound | Program, 0, func(o Observation) string { return o.Version }},
}

// Find returns the common causes at now, the one with the most affected participants
// first. Observations may be in any order and of any age; those after now are ignored.
// Faults that the most probable cause explains are removed before the next one is
// searched.
func Find(now time.Time, observations []Observation, base Base) []Finding {
	people := byParticipant(now, observations)
	var views []view
	for _, length := range windows {
		views = append(views, view{from: now.Add(-length), to: now, checks: checked(now, length, people)})
	}
	explained := map[string]Faults{}
	var found []Finding
	for range maxFindings {
		f, ok := decide(candidates(views, base, explained), base)
		if !ok {
			break
		}
		if !f.over {
			found = append(found, f)
		}
		for i, p := range f.Affected {
			explained[p] |= f.kinds[i]
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(len(b.Affected), len(a.Affected)), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Key, b.Key))
	})
	return found
}

// view contains the checks of one window.
type view struct {
	from, to time.Time
	checks   []check
}

// candidates returns the groups that may share a fault, for each window in which it may
// have begun.
func candidates(views []view, base Base, explained map[string]Faults) []candidate {
	var all []candidate
	for _, w := range views {
		for _, d := range dimensions {
			var evidence []vote
			groups := map[string][]int{}
			for _, c := range w.checks {
				v, o, ok := c.vote(d, base, explained)
				if !ok {
					continue
				}
				if key := d.key(o); key != "" {
					groups[key] = append(groups[key], len(evidence))
				}
				evidence = append(evidence, v)
			}
			l := newLikelihood(evidence)
			for _, key := range slices.Sorted(maps.Keys(groups)) {
				g := candidate{dimension: d, key: key, view: w, members: groups[key], evidence: evidence}
				if g.wideEnough() {
					g.logOdds = d.logPrior - math.Log(float64(len(views))) + l.logBayesFactor(groups[key])
					all = append(all, g)
				}
			}
		}
	}
	return all
}
