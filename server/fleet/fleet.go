// Package fleet finds what participants have in common when several are disturbed at
// once: the conference server, the collector's own servers, the provider, the site or
// the program's version. Support then speaks of the common cause and blames no single
// participant.
//
// Everything here is a pure function of observations. The model compares two
// explanations of the same checks: the faults occurred independently of each other, at
// the rate that is usual here, or one group shares a fault. docs/fleet.md shows how
// often it is right.
package fleet

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
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
// disturbed members of a council are no pattern.
const MinAffected = 3

// Threshold is the smallest probability of a finding.
const Threshold = 0.95

// maxFindings limits the faults at one time.
const maxFindings = 3

// windows are the times for which a fault may have lasted. Checks from before its
// beginning would speak against it; too short a window holds too few checks.
var windows = [...]time.Duration{3 * time.Minute, 6 * time.Minute, 12 * time.Minute, 24 * time.Minute, Longest}

// Longest is how far back Find looks for disturbed checks. Older observations only tell
// whether a participant was disturbed before.
const Longest = 45 * time.Minute

// Finding is a common cause.
type Finding struct {
	// Code is one of the codes of this package.
	Code string
	// Key is what the group has in common: the host of the conference server or Own,
	// the provider, the network of the site, or version and system.
	Key string
	// From and To enclose the checks that were compared.
	From, To time.Time
	// Affected are the disturbed members of the group, in the order of their checks.
	Affected []string
	// Members is how many members were checked, Affected among them.
	Members int
	// ElsewhereAffected of ElsewhereMembers outside the group were disturbed likewise.
	ElsewhereAffected, ElsewhereMembers int
	// UsualPct is the share of checks in percent that is usually disturbed likewise.
	UsualPct float64
	// Probability is 0..1.
	Probability float64

	kinds []Faults // of each affected participant
	over  bool     // the fault has ended
}

// dimension is one thing that participants can have in common.
type dimension struct {
	code string
	// logPrior is the logarithm of the probability that some group of this dimension
	// shares a fault, before anything was observed.
	logPrior float64
	// counts are the faults that such a common cause produces.
	counts Faults
	// explained are faults that explain a disturbance by the participant's own
	// equipment, so that the check says nothing about the group.
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

// Find returns the common causes at now, the most affecting first. Observations may be
// in any order and of any age; those after now are ignored. What the most probable cause
// explains is taken out before the next one is looked for.
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

// view is what was checked in one window.
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
				v, o, told := c.vote(d, base, explained)
				if !told {
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
