package stats

import (
	"cmp"
	"math"
	"slices"
)

// Limits for the detection of a queue.
const (
	// queueWindowNS is long enough that a stall of a radio, or jitter, does not affect all of its 20
	// packets, and short compared with the seconds in which a TCP flow fills and drains a buffer. For a
	// stream that a slow line left little time for, half of it is used.
	queueWindowNS      = 400e6
	shortQueueWindowNS = 200e6
	shortStreamNS      = 3e9
	minQueueWindows    = 5
	minPerWindow       = 5
)

// QueueSwingMS returns the variation in ms of the delay that affects all packets: the spread of the
// smallest delays of windows of 400 ms, or of 200 ms for a short stream. It is nil if the stream is too
// short, and 0 if the change was not caused by a queue.
//
// Jitter and stalls delay some packets and not others. A queue filled by another transfer delays every
// packet, and changes slowly: it grows with the excess rate, and drains no faster than time passes, because
// no packet in it overtakes another. A delay that jumps by half of its whole swing from one packet to the
// next, as after a change of the route or during a stall of a radio, is therefore not a queue.
//
// The queue itself is at least as high: a TCP flow that halves its window (RFC 5681) varies between half
// of a full buffer and all of it.
func QueueSwingMS(first []Packet, skewPPM float64) *float64 {
	pdv := PDV(first, skewPPM)
	least := windowMinima(first, pdv)
	if len(least) < minQueueWindows {
		return nil
	}
	swing := slices.Max(least) - slices.Min(least)
	if steepestJump(first, pdv) > swing/2 {
		swing = 0
	}
	return &swing
}

// windowMinima returns the smallest delay of each window with enough packets.
func windowMinima(first []Packet, pdv []float64) []float64 {
	type window struct {
		n     int
		least float64
	}
	if len(first) == 0 {
		return nil
	}
	bySent := func(a, b Packet) int { return cmp.Compare(a.SentNS, b.SentNS) }
	beginNS, endNS := slices.MinFunc(first, bySent).SentNS, slices.MaxFunc(first, bySent).SentNS
	lengthNS := int64(queueWindowNS)
	if endNS-beginNS < shortStreamNS {
		lengthNS = shortQueueWindowNS
	}
	windows := map[int64]*window{}
	for i, p := range first {
		at := (p.SentNS - beginNS) / lengthNS
		w := windows[at]
		if w == nil {
			w = &window{least: math.Inf(1)}
			windows[at] = w
		}
		w.n++
		w.least = min(w.least, pdv[i])
	}
	var least []float64
	for _, w := range windows {
		if w.n >= minPerWindow {
			least = append(least, w.least)
		}
	}
	return least
}

// steepestJump returns the largest change of the delay from one packet to the next that a queue cannot
// cause so quickly, in ms: an increase, or a decrease by more than the time between the two. Over a gap of
// lost packets it is divided by their number plus one, because a queue grows while packets are dropped too.
func steepestJump(first []Packet, pdv []float64) (steepest float64) {
	order := make([]int, len(first))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(int32(first[a].Seq - first[b].Seq)) })
	for k := 1; k < len(order); k++ {
		a, b := order[k-1], order[k]
		steps := float64(max(1, int32(first[b].Seq-first[a].Seq)))
		rise := pdv[b] - pdv[a]
		overtaken := -rise - float64(first[b].SentNS-first[a].SentNS)/1e6
		steepest = max(steepest, rise/steps, overtaken/steps)
	}
	return steepest
}

// minSlowed is the number of intervals needed to detect a slowed stream.
const minSlowed = 20

// SlowedInterval returns the mean time between arrivals of a stream in ns if the line carried it more
// slowly than it was sent; nil otherwise.
//
// A line that is too narrow for the stream delivers each packet one transmission time after the previous
// one, and none at the sender's interval. With jitter some packets are closer together. With loss the
// others remain at the sender's interval, or at a multiple of it if the loss is regular, so a multiple
// is rejected. A stream that arrived at the pace at which it was sent is rejected too: echoes leave the
// far end at the pace at which the other direction delivered the packets, so that only the other
// direction may be narrow. intervalNS is the sender's interval.
func SlowedInterval(first []Packet, intervalNS int64) *float64 {
	if len(first) <= minSlowed || intervalNS <= 0 {
		return nil
	}
	spacings := make([]float64, len(first)-1)
	for i := range spacings {
		spacings[i] = float64(first[i+1].ArrivedNS - first[i].ArrivedNS)
	}
	// A tenth may be closer together, after the line was idle.
	const slower = 1.1
	if Percentile(spacings, 10) < slower*float64(intervalNS) || isMultiple(Percentile(spacings, 50)/float64(intervalNS)) {
		return nil
	}
	arrived := float64(first[len(first)-1].ArrivedNS-first[0].ArrivedNS) / float64(len(spacings))
	if arrived < slower*sentInterval(first) {
		return nil
	}
	return &arrived
}

// sentInterval returns the mean time between sent packets, including lost ones, in ns.
func sentInterval(first []Packet) float64 {
	oldest, youngest := first[0], first[0]
	for _, p := range first {
		if int32(p.Seq-oldest.Seq) < 0 {
			oldest = p
		}
		if int32(p.Seq-youngest.Seq) > 0 {
			youngest = p
		}
	}
	return float64(youngest.SentNS-oldest.SentNS) / float64(max(1, youngest.Seq-oldest.Seq))
}

// isMultiple reports whether a spacing, in intervals of the sender, is close to an integer.
func isMultiple(intervals float64) bool {
	return math.Abs(intervals-math.Round(intervals)) < 0.03
}
