package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Logarithms of the prior probabilities that a fault of this kind exists at a given
// moment. They set how much evidence a banner needs; the simulation in this package's
// tests shows the share of false banners that follows.
var (
	logServer   = math.Log(1.5e-2)
	logProvider = math.Log(8e-3)
	logSite     = math.Log(8e-3)
	logVersion  = math.Log(5e-3)
)

// Base is how often checks are disturbed when there is no common cause.
type Base struct {
	// Disturbed of Checks showed the faults, by kind. Zero values stand for a collector
	// without a history, which starts with usual rates.
	Disturbed map[Faults]int
	Checks    int
}

// Rates of a collector without a history, and how many checks they weigh.
const (
	usualConnection = 0.06
	usualSound      = 0.10
	usualWeight     = 50
)

// rate is the share of checks that are usually disturbed by any of the kinds.
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

// check is what is known of a participant who was checked in a window.
type check struct {
	// recent are the checks of the longest window, in order, from which those of the window
	// begin at first.
	recent []Observation
	first  int
	// earlier is the last check before the longest window, which a fault that is looked
	// for did not disturb; nil if there is none.
	earlier *Observation
}

// byParticipant returns the observations up to now, of each participant in order.
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

// checked returns the participants with a check in the window, in the order of their last one.
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

// latest returns the last check in the window that measured any of the kinds: a person who repeats a
// failed check does not count more than others, and a small check in between hides nothing. was are
// the faults that earlier ones found.
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

// vote is what one check says about a dimension.
type vote struct {
	participant string
	site        string
	found       Faults // that count for the dimension
	disturbed   bool
	// recovered tells that an earlier check in the longest window was disturbed.
	recovered bool
	// logit is that of the probability of being disturbed without a common cause.
	logit float64
}

// Probabilities of being disturbed after an earlier check: a defect headset is still
// defect today, and who was well this afternoon is less often disturbed than others.
const (
	persists    = 0.6
	wellSoFar   = 0.7
	leastChance = 0.005
)

// vote returns what the participant's check says, and false if it says nothing.
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
			p *= wellSoFar
		}
	}
	p = max(p, leastChance)
	return vote{o.Participant, o.Site, counted, counted != 0, was&d.counts != 0, math.Log(p / (1 - p))}, o, true
}

// An evening can be worse than usual for everybody at once: rain on the radio links, a
// new release of a browser. The logit of all participants shifts by a normally
// distributed amount, which is integrated over these nodes (in standard deviations, with
// the logarithms of their weights).
var (
	shifts       = []float64{-2, -1, 0, 1, 2}
	shiftWeights = []float64{0.054, 0.242, 0.399, 0.242, 0.054}
	shiftSigma   = 0.6
)

// A common fault disturbs a share of its group, which is integrated over these values;
// larger shares are more usual.
var (
	shares       = []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98}
	shareWeights = []float64{0.06, 0.08, 0.1, 0.11, 0.13, 0.15, 0.18, 0.19}
)

// outcome is what the likelihood of a vote depends on. There are few different ones, so
// that groups are compared by how often each occurs.
type outcome struct {
	disturbed bool
	logit     float64
}

// likelihood holds the logarithms of the probabilities of each outcome, by node.
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
			alone = append(alone, logChance(o.disturbed, p))
			for s, share := range shares {
				common[s] = append(common[s], logChance(o.disturbed, share+(1-share)*p))
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

// logBayesFactor is the logarithm of how much better the votes are explained by a fault
// that the members share than by none.
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

// leastCertain is the smallest probability of one common cause among all.
const leastCertain = 0.8

// candidate is a group that may share a fault.
type candidate struct {
	dimension dimension
	key       string
	view      view
	members   []int
	evidence  []vote
	logOdds   float64
}

// wideEnough reports whether enough members are disturbed, and those of a provider at
// enough sites: several people behind one connection say nothing about its provider.
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

// over reports whether the fault has ended: since the last check that it disturbed, so
// many of those whom it had disturbed were well that it would have been seen again.
// Members whom it never disturbed say nothing about its end.
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

// missed is the share of checks that an existing fault does not disturb, although it has
// disturbed the same participant before. A fault whose existence is less probable than
// ended, by that, has ended.
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
	// Another group may explain the same checks as well; which one, only more checks tell.
	certain := math.Exp(logSum(byGroup[group{c.dimension.code, c.key}]) - total)
	if probability := 1 - math.Exp(-total); probability < Threshold || certain < leastCertain {
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

func logChance(happened bool, p float64) float64 {
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
