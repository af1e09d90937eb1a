package stats

import (
	"cmp"
	"math"
	"slices"
)

// Limits of what is taken for a queue.
const (
	// queueWindowNS is long enough that a stall of a radio, or jitter, leaves some
	// of its 20 packets alone, and short beside the seconds in which one TCP fills
	// and drains a buffer. A stream that a slow line left little time for has to do
	// with half of that.
	queueWindowNS      = 400e6
	shortQueueWindowNS = 200e6
	shortStreamNS      = 3e9
	minQueueWindows    = 5
	minPerWindow       = 5
)

// QueueSwingMS is by how much the delay that no packet escapes rose and fell, in
// ms: the spread of the smallest delays of windows of 400 ms, or of 200 ms where the
// stream is short. It is nil when it is too short to say, and 0 when the change was no queue's.
//
// Jitter and stalls hold some packets up and spare others. A queue that somebody
// else's transfer keeps full delays every packet, and changes slowly: it grows by
// what is sent too much and drains no faster than the line is. So a delay that
// jumps by half of its whole swing from one packet to the next, as when a route
// changes or a radio stands still, is none.
//
// The queue itself is at least as high: a TCP that halves its window (RFC 5681)
// swings between half of a full buffer and all of it.
func QueueSwingMS(first []Packet, skewPPM float64) *float64 {
	pdv := PDV(first, skewPPM)
	least := windowMinima(first, pdv)
	if len(least) < minQueueWindows {
		return nil
	}
	swing := slices.Max(least) - slices.Min(least)
	if steepestRise(first, pdv) > swing/2 {
		swing = 0
	}
	return &swing
}

// windowMinima are the smallest delays of those windows that hold enough packets.
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

// steepestRise is the largest rise of the delay from one packet to the next that
// arrived, in ms. A gap of lost packets divides it: a queue grows while they are
// dropped too.
func steepestRise(first []Packet, pdv []float64) (steepest float64) {
	order := make([]int, len(first))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(int32(first[a].Seq - first[b].Seq)) })
	for k := 1; k < len(order); k++ {
		a, b := order[k-1], order[k]
		steps := float64(max(1, int32(first[b].Seq-first[a].Seq)))
		steepest = max(steepest, (pdv[b]-pdv[a])/steps)
	}
	return steepest
}

// minSlowed is how many spacings show that a stream was slowed down.
const minSlowed = 20

// SlowedInterval is the mean time between arrivals of a stream, in ns, when the
// line carried it more slowly than it was sent; nil when it kept up.
//
// A line that is too narrow for the stream lets its packets out one by one, each
// as long after the one before as it takes to transmit: none comes at the pace
// they were sent. Jitter lets some come closer together, and loss leaves the rest
// at the sender's pace, or where it is regular at a multiple of it: a spacing that
// is one is not believed. Neither is a stream that arrived as it was sent: echoes
// leave the far end at the pace of the other direction, however narrow that is.
// intervalNS is the time between two sends.
func SlowedInterval(first []Packet, intervalNS int64) *float64 {
	if len(first) <= minSlowed || intervalNS <= 0 {
		return nil
	}
	spacings := make([]float64, len(first)-1)
	for i := range spacings {
		spacings[i] = float64(first[i+1].ArrivedNS - first[i].ArrivedNS)
	}
	// A tenth may be closer: what the line sent in between, it saved up for them.
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

// sentInterval is the mean time between the sends of a stream, those that got lost
// on the way too, in ns.
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

// isMultiple says whether a spacing, in intervals of the sender, is a whole number
// of them.
func isMultiple(intervals float64) bool {
	return math.Abs(intervals-math.Round(intervals)) < 0.03
}
