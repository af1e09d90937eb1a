package store

import (
	"cmp"
	"slices"

	"github.com/tonprobe/tonprobe/probe/diagnose"
)

// CauseTruth is how often one named cause was right, according to the closed cases.
type CauseTruth struct {
	Named string // "" for reports without a primary cause
	// Right counts the cases in which it was the cause; without a named cause, those without
	// a fault.
	Right int
	// Wrong counts those with another cause, or without a fault; Instead counts these by
	// what it was, the most frequent first.
	Wrong   int
	Instead []CauseCount
	// Unknown counts those in which nobody found out. They say nothing about the named cause.
	Unknown int
}

// Cases returns the number of closed cases.
func (c CauseTruth) Cases() int { return c.Right + c.Wrong + c.Unknown }

// Truths returns the truth of each named cause, those with the most cases first.
func Truths(counts []CauseCount) []CauseTruth {
	byName := map[string]*CauseTruth{}
	for _, c := range counts {
		t := byName[c.Named]
		if t == nil {
			t = &CauseTruth{Named: c.Named}
			byName[c.Named] = t
		}
		switch {
		case c.True == CauseUnknown:
			t.Unknown += c.Cases
		case c.True == c.Named, c.Named == "" && c.True == CauseNone:
			t.Right += c.Cases
		default:
			t.Wrong += c.Cases
			t.Instead = append(t.Instead, c)
		}
	}
	var all []CauseTruth
	for _, t := range byName {
		slices.SortFunc(t.Instead, func(a, b CauseCount) int { return cmp.Or(b.Cases-a.Cases, cmp.Compare(a.True, b.True)) })
		all = append(all, *t)
	}
	slices.SortFunc(all, func(a, b CauseTruth) int { return cmp.Or(b.Cases()-a.Cases(), cmp.Compare(a.Named, b.Named)) })
	return all
}

// RightPct returns the share of cases in which the named cause was right, of those whose cause is
// known, with its 95 % interval ([diagnose.Wilson95]). ok is false if there are none.
func (c CauseTruth) RightPct() (pct, low, high float64, ok bool) {
	right, known := float64(c.Right), float64(c.Right+c.Wrong)
	ci := diagnose.Wilson95(right, known)
	if known == 0 {
		return 0, ci[0], ci[1], false
	}
	return 100 * right / known, ci[0], ci[1], true
}
