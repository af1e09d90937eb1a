package stats

import "sort"

// Reordering is the reordering of RFC 4737 among the first arrivals.
type Reordering struct {
	Reordered int     // §3.3: number below the next expected, which never decreases
	Pct       float64 // share of packets that arrived
	MaxExtent int     // §4.2.1: largest number of arrivals by which a packet was late
}

// ReorderingOf returns the reordering of a stream, or nil if nothing arrived.
func ReorderingOf(a Arrivals) *Reordering {
	if len(a.First) == 0 {
		return nil
	}
	var r Reordering
	highest := make([]int, len(a.First)) // highest position up to each arrival
	for i, p := range a.First {
		at := a.offset(p)
		if i > 0 && at < highest[i-1] {
			r.Reordered++
			overtakenBy := sort.Search(i, func(k int) bool { return highest[k] > at })
			r.MaxExtent = max(r.MaxExtent, i-overtakenBy)
			highest[i] = highest[i-1]
		} else {
			highest[i] = at
		}
	}
	r.Pct = 100 * float64(r.Reordered) / float64(len(a.First))
	return &r
}
