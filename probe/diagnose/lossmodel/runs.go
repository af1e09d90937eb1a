package lossmodel

import (
	"cmp"
	"maps"
	"slices"
)

// LostAtATime is how many packets of several streams in step were lost at a time
// on average. Each stream says for the time at which a packet went out whether it
// was answered. Losses at neighbouring times count as one. Only the times count at
// which the far end's own packet was lost: a router that limits its answers is no
// burst. It is 0 where none was.
func LostAtATime[T cmp.Ordered](streams []map[T]bool, end map[T]bool) float64 {
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
