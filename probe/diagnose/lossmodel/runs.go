package lossmodel

import (
	"cmp"
	"maps"
	"slices"
)

// LostTogether returns the mean number of packets of several streams in step that were
// lost at a time; 0 if none was. Each stream maps the send time of a packet to whether
// it was answered. Losses at consecutive times count as one. Only times at which the
// far end's own packet was lost count, because responses that a router omits in order to
// limit their rate are not a burst of losses.
func LostTogether[T cmp.Ordered](streams []map[T]bool, end map[T]bool) float64 {
	lost, times := 0, 0
	before := false
	for _, at := range slices.Sorted(maps.Keys(end)) {
		if end[at] {
			before = false
			continue
		}
		for _, s := range streams {
			if answered, sent := s[at]; sent && !answered {
				lost++
			}
		}
		if !before {
			times++
		}
		before = true
	}
	if times == 0 {
		return 0
	}
	return float64(lost) / float64(times)
}
