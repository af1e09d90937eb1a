package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Logarithms of the prior probabilities that a fault of this kind exists at a given
// moment. They determine how much evidence a banner requires. The simulation in this
// package's tests measures the resulting share of false banners.
var (
	logServer   = math.Log(1.5e-2)
	logProvider = math.Log(8e-3)
	logSite     = math.Log(8e-3)
	logVersion  = math.Log(5e-3)
)

// Base counts how often checks are disturbed without a common cause.
type Base struct {
	// Disturbed is the number of checks that had a fault of a kind, out of Checks. With
	// zero values, as in a collector without a history, the default rates apply.
	Disturbed map[Faults]int
	Checks    int
}

// Default rates for a collector without a history, and the number of checks as which they
// are weighted.
const (
	usualConnection = 0.06
	usualSound      = 0.10
	usualWeight     = 50
)

// rate returns the share of checks that usually have a fault of any of the kinds.
func (b Base) rate(kinds Faults) float64 {
	prior := usualConnection
	if kinds&(Sound|Program) != 0 {
		prior = usualSound
	}
	disturbed := 0
	for kind, n := range b.Disturbed {
		if kind&kinds != 0 {
			disturbed += n
		}
	}
	share := (prior*usualWeight + float64(disturbed)) / float64(usualWeight+b.Checks)
	return min(max(share, 0.01), 0.5)
}

// check contains the observations of one participant who was checked in a window.
type check struct {
	// recent contains the checks within Longest, in order. Those of the window start at
	// index first.
	recent []Observation
	first  int
	// earlier is the last check older than Longest, which no fault in question can have
	// disturbed; nil if there is none.
	earlier *Observation
}

// byParticipant groups the observations up to now by participant, each group in order.
func byParticipant(now time.Time, observations []Observation) [][]Observation {
	place := map[string]int{}
	var all [][]Observation
	for _, o := range observations {
		if o.At.After(now) {
			continue
		}
		i, known := place[o.Participant]
		if !known {
			i = len(all)
			place[o.Participant] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], o)
	}
	for _, one := range all {
		slices.SortStableFunc(one, func(a, b Observation) int { return a.At.Compare(b.At) })
	}
	return all
}

// checked returns the participants with a check in the window, in the order of their last
// check.
func checked(now time.Time, length time.Duration, people [][]Observation) []check {
	var all []check
	for _, one := range people {
		var c check
		for i := range one {
			switch o := &one[i]; {
			case !o.At.After(now.Add(-Longest)):
				c.earlier = o
			case !o.At.After(now.Add(-length)):
				c.first++
				fallthrough
			default:
				c.recent = append(c.recent, *o)
			}
		}
		if c.first < len(c.recent) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b check) int {
		last, other := a.recent[len(a.recent)-1], b.recent[len(b.recent)-1]
		return cmp.Or(last.At.Compare(other.At), cmp.Compare(last.Participant, other.Participant))
	})
	return all
}

// latest returns the last check in the window that measured any of the kinds: a person
// who repeats a failed check must not count more than others, and a check without these
// probes in between must not hide the result. was contains the faults of all earlier
// checks.
func (c check) latest(kinds Faults) (o Observation, was Faults, found bool) {
	for i := len(c.recent) - 1; i >= c.first; i-- {
		if c.recent[i].Measured&kinds == 0 {
			continue
		}
		for _, before := range c.recent[:i] {
			was |= before.Found
		}
		return c.recent[i], was, true
	}
	return Observation{}, 0, false
}

// vote is the evidence of one check for a dimension.
type vote struct {
	participant string
	site        string
	found       Faults // that count for the dimension
	disturbed   bool
	// recovered is set if an earlier check within Longest was disturbed.
	recovered bool
	// logit is the logit of the probability of a disturbance without a common cause.
	logit float64
}

// Probabilities of a disturbance, given an earlier check: a defective headset is probably
// still defective, and a participant without faults in the afternoon is less likely to be
// disturbed than others.
const (
	persists          = 0.6
	undisturbedFactor = 0.7
	minProbability    = 0.005
)

// vote returns the evidence of the participant's check, and false if it has none.
func (c check) vote(d dimension, base Base, explained map[string]Faults) (vote, Observation, bool) {
	o, was, found := c.latest(d.counts)
	counted := o.Found & d.counts &^ explained[o.Participant]
	if !found || o.Found&d.explained != 0 || counted == 0 && o.Found&d.counts != 0 {
		return vote{}, o, false
	}
	p := base.rate(d.counts)
	if e := c.earlier; e != nil && e.Measured&d.counts != 0 {
		switch {
		case e.Found&d.counts&^e.Explained != 0:
			p = max(p, persists)
		case e.Found&d.counts == 0:
			p *= undisturbedFactor
		}
	}
	p = max(p, minProbability)
	return vote{o.Participant, o.Site, counted, counted != 0, was&d.counts != 0, math.Log(p / (1 - p))}, o, true
}

// All participants can have more faults than usual in one evening, for example because of
// rain on radio links or a new browser release. The logit of all participants is shifted
// by a normally distributed amount, which is integrated over these nodes (in standard
// deviations, with the logarithms of their weights).
var (
	shifts       = []float64{-2, -1, 0, 1, 2}
	shiftWeights = []float64{0.054, 0.242, 0.399, 0.242, 0.054}
	shiftSigma   = 0.6
)

// A common fault disturbs some share of its group, which is integrated over these values;
// larger shares are more probable.
var (
	shares       = []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98}
	shareWeights = []float64{0.06, 0.08, 0.1, 0.11, 0.13, 0.15, 0.18, 0.19}
)

// outcome contains everything on which the likelihood of a vote depends. There are only a
// few distinct outcomes, so groups are compared by the number of votes with each.
type outcome struct {
	disturbed bool
	logit     float64
}

// likelihood contains the logarithms of the probabilities of each outcome, by node.
type likelihood struct {
	outcomes []outcome
	of       []int       // the outcome of each vote
	none     float64     // of all votes without a common cause
	total    []float64   // the same by shift
	alone    [][]float64 // [shift][outcome], without a common cause
	common   [][]float64 // [shift * share][outcome], with one
}

func newLikelihood(votes []vote) likelihood {
	var l likelihood
	for _, v := range votes {
		o := outcome{v.disturbed, v.logit}
		i := slices.Index(l.outcomes, o)
		if i < 0 {
			i = len(l.outcomes)
			l.outcomes = append(l.outcomes, o)
		}
		l.of = append(l.of, i)
	}
	counts := make([]float64, len(l.outcomes))
	for _, i := range l.of {
		counts[i]++
	}
	var none []float64
	for n, shift := range shifts {
		var alone []float64
		common := make([][]float64, len(shares))
		for _, o := range l.outcomes {
			p := logistic(o.logit + shift*shiftSigma)
			alone = append(alone, logProbability(o.disturbed, p))
			for s, share := range shares {
				common[s] = append(common[s], logProbability(o.disturbed, share+(1-share)*p))
			}
		}
		l.alone, l.common, l.total = append(l.alone, alone), append(l.common, common...), append(l.total, dot(counts, alone))
		none = append(none, math.Log(shiftWeights[n])+l.total[n])
	}
	if len(votes) > 0 {
		l.none = logSum(none)
	}
	return l
}

// logBayesFactor returns the logarithm of the likelihood ratio between a fault shared by
// the members and no common fault.
func (l likelihood) logBayesFactor(members []int) float64 {
	counts := make([]float64, len(l.outcomes))
	for _, i := range members {
		counts[l.of[i]]++
	}
	var common []float64
	for n := range shifts {
		outside := l.total[n] - dot(counts, l.alone[n])
		for s := range shares {
			common = append(common, math.Log(shiftWeights[n]*shareWeights[s])+outside+dot(counts, l.common[n*len(shares)+s]))
		}
	}
	return logSum(common) - l.none
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// minCertainty is the minimum probability of one common cause relative to all others.
const minCertainty = 0.8

// candidate is a group that may share a fault.
type candidate struct {
	dimension dimension
	key       string
	view      view
	members   []int
	evidence  []vote
	logOdds   float64
}

// wideEnough reports whether enough members are disturbed and, for a provider, at enough
// sites: several people behind one connection are not evidence about its provider.
func (c candidate) wideEnough() bool {
	affected, sites := 0, map[string]bool{}
	for _, i := range c.members {
		if v := c.evidence[i]; v.disturbed {
			affected++
			sites[v.site] = true
		}
	}
	return affected >= MinAffected && (c.dimension.code != CodeProvider || len(sites) >= MinAffected)
}

// over reports whether the fault has ended. It has if, since the last disturbed check, so
// many participants who had been disturbed had a check without the fault that an existing
// fault would have been seen again. Members who were never disturbed are not evidence of
// its end.
func (c candidate) over() bool {
	unseen := 1.0
	for _, i := range c.members {
		switch v := c.evidence[i]; {
		case v.disturbed:
			unseen = 1
		case v.recovered:
			unseen *= missed
		}
	}
	return unseen < ended
}

// missed is the probability that an existing fault does not disturb a check of a
// participant whom it has disturbed before. A fault counts as ended when the probability
// that it still exists and was missed is below ended.
const (
	missed = 0.2
	ended  = 0.01
)

// decide returns the most probable common cause, if it is probable enough.
func decide(candidates []candidate, base Base) (Finding, bool) {
	if len(candidates) == 0 {
		return Finding{}, false
	}
	type group struct{ code, key string }
	odds := []float64{0} // of no common cause
	byGroup := map[group][]float64{}
	for _, c := range candidates {
		odds = append(odds, c.logOdds)
		g := group{c.dimension.code, c.key}
		byGroup[g] = append(byGroup[g], c.logOdds)
	}
	c := slices.MaxFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.logOdds, b.logOdds) })
	total := logSum(odds)
	// Other groups may explain the same checks as well. Only more checks can distinguish
	// them.
	certain := math.Exp(logSum(byGroup[group{c.dimension.code, c.key}]) - total)
	if probability := 1 - math.Exp(-total); probability < Threshold || certain < minCertainty {
		return Finding{}, false
	}
	f := Finding{Code: c.dimension.code, Key: c.key, From: c.view.from, To: c.view.to, Members: len(c.members), over: c.over(), Probability: certain, UsualPct: 100 * base.rate(c.dimension.counts)}
	inside := map[int]bool{}
	for _, i := range c.members {
		inside[i] = true
	}
	for i, v := range c.evidence {
		switch {
		case inside[i] && v.disturbed:
			f.Affected = append(f.Affected, v.participant)
			f.kinds = append(f.kinds, v.found)
		case !inside[i]:
			f.ElsewhereMembers++
			if v.disturbed {
				f.ElsewhereAffected++
			}
		}
	}
	return f, true
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func logProbability(happened bool, p float64) float64 {
	if happened {
		return math.Log(p)
	}
	return math.Log1p(-p)
}

// logSum is the logarithm of the sum of the exponentials.
func logSum(xs []float64) float64 {
	top := slices.Max(xs)
	sum := 0.0
	for _, x := range xs {
		sum += math.Exp(x - top)
	}
	return top + math.Log(sum)
}
