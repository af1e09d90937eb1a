package load

import (
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// wireShare is the size of a byte of payload on the line, with IP and TCP headers and timestamps
// (RFC 7323) in packets of 1500 bytes. The values of media.load are rates of the IP layer, which
// RFC 9097 defines as capacity and by which lines are sold.
const wireShare = 1500.0 / (1500 - 20 - 20 - 12)

const (
	// blocks is the number of equal parts into which the arrivals are divided.
	blocks = 24
	// steadyBlocks is the minimum length of the steady part.
	steadyBlocks = 8
	// changeExplains is the share of the variance that may remain after a split; the best split of
	// 24 blocks of noise leaves about 0.75 of it.
	changeExplains = 0.5
	// burstFactor is the minimum rate of a burst relative to the later rate.
	burstFactor = 1.5
	// burstExcess is the minimum mean up to the end of a burst relative to the later rate. Data that
	// TCP delivers late and all at once compensates for the gap before it, and is not an excess.
	burstExcess = 1.6
	// initialWindows is several times the four initial windows of TCP, so that slow start is negligible.
	initialWindows = 256 << 10
	// slowFactor is the maximum rate during slow start relative to the later rate.
	slowFactor = 0.6
	// minIntervals is the minimum length of any part.
	minIntervals = 4
)

// arrived contains the bytes that arrived at the receiver, by intervals of wire.LoadInterval from
// the first byte on.
type arrived struct {
	bytes []int64
	// firstEnd is the interval in which the first transfer completed, if any. After it fewer
	// transfers fill the line.
	firstEnd *int
	// segments means that segments were counted as they arrived, so that bytes is
	// never above the rate of the line.
	segments bool
}

// longSilence is a number of intervals without a byte that does not occur on a full line: one
// packet of 1500 bytes takes 120 ms at 100 kbit/s.
const longSilence = 50

// isBuffered reports whether nothing arrived, or most arrived at once and then nothing for longer
// than a full line causes: a proxy buffers the data.
func (a arrived) isBuffered() bool {
	if len(a.bytes) == 0 {
		return true
	}
	silent := 0
	for i := len(a.bytes) - 1; i >= 0 && a.bytes[i] == 0; i-- {
		silent++
	}
	return a.firstEnd == nil && silent >= longSilence && 2*slices.Max(a.bytes) > a.sum()
}

// steady returns the rate of the full line: the slope of the arrivals in the part in which the rate
// is constant. Before it, TCP is in slow start (RFC 5681 §3.1), or a token bucket passes a burst;
// the least-squares fit of two constants finds the change. The part ends when the first transfer
// ends.
func (a arrived) steady() rate {
	x := a.bytes
	if a.firstEnd != nil && *a.firstEnd >= minIntervals {
		x = x[:min(*a.firstEnd, len(x))]
	}
	// TCP delivers nothing behind a missing packet. That silence at the end is no rate of
	// the line.
	for len(x) > 0 && x[len(x)-1] == 0 {
		x = x[:len(x)-1]
	}
	if len(x) < minIntervals { // a line faster than the measurement supports
		return a.whole()
	}
	parts, every := cut(x)
	from := change(parts)
	last := parts[from:]
	mean, spread := meanAndDeviation(last)
	switch {
	case a.sum() >= bytesAll/2: // a fast line: a block is about a round trip
		last = parts[max(from, len(parts)/2):]
		_, spread = meanAndDeviation(last)
		mean = middle(last)
	case a.segments && halfWidth(last, spread) < evenShare*mean:
		mean = max(mean, bestSecond(parts[from:], every))
	case from == 0 && a.sum() < initialWindows:
		mean = max(mean, envelope(parts)) // full from the beginning
	case from == 0:
		mean = max(mean, envelope(parts[slowStart(parts):]))
	}
	toKbps := 8 * wireShare / (every.Seconds() * 1000)
	r := rate{steadyKbps: mean * toKbps, took: time.Duration(len(x)) * wire.LoadInterval}
	for _, n := range x {
		r.counted += n
	}
	if len(last) > 1 {
		half := halfWidth(last, spread) * toKbps
		r.ci95 = &report.Interval{max(0, r.steadyKbps-half), r.steadyKbps + half}
	}
	return r
}

// minFlowTime returns how long bytes must have flowed for a valid rate. TCP needs several round
// trips to reach the rate of the line (RFC 5681 §3.1). The rate before that depends on the
// distance, unless it is sufficient for every purpose.
func minFlowTime(idleRTTMS *float64) time.Duration {
	if idleRTTMS == nil {
		return neededWithoutRTT
	}
	return time.Duration(roundTripsNeeded * *idleRTTMS * float64(time.Millisecond))
}

const (
	roundTripsNeeded = 6
	enoughKbps       = 2000
	neededWithoutRTT = time.Second
)

// maxIntervals is the maximum number of intervals in a phase.
const maxIntervals = int((fullTime + askWait) / wire.LoadInterval)

func (a arrived) moved() *int { return new(int(a.sum())) }

// kbps returns the rate of the IP layer and its interval, or nil if the arrivals do not determine it.
func (a arrived) kbps(idleRTTMS *float64) (*float64, *report.Interval) {
	r := a.steady()
	if r.counted <= 0 || r.took <= 0 {
		return nil, nil
	}
	kbps := r.steadyKbps
	if kbps == 0 {
		kbps = float64(r.counted) / (r.took.Seconds() * 1000) * 8 * wireShare
	}
	if r.took < minFlowTime(idleRTTMS) && kbps < enoughKbps {
		return nil, nil
	}
	return &kbps, r.ci95
}

type rate struct {
	counted    int64
	took       time.Duration
	steadyKbps float64
	ci95       *report.Interval
}

// whole returns the rate over the whole time, with the first interval counted as a full one.
func (a arrived) whole() rate {
	return rate{took: time.Duration(len(a.bytes)) * wire.LoadInterval, counted: a.sum()}
}

func (a arrived) sum() (all int64) {
	for _, n := range a.bytes {
		all += n
	}
	return all
}

// envelope returns the largest mean from the beginning on, over at least half of the time. TCP
// delivers nothing while a packet is missing, and never more than has arrived. On a line that is
// full from the beginning the best estimate is at the moment when the least is held back.
func envelope(x []float64) (most float64) {
	sum := 0.0
	for i, v := range x {
		if sum += v; 2*(i+1) >= len(x) {
			most = max(most, sum/float64(i+1))
		}
	}
	return most
}

// evenShare is the relative half width of the interval up to which arrivals count as
// even. Behind a proxy they are not, although the kernel counts segments: after a lost
// packet the proxy forwards all data that waited for it at once.
const evenShare = 0.15

// halfWidth returns half of the 95 % interval of the mean of x, which has this deviation.
func halfWidth(x []float64, deviation float64) float64 {
	return studentT975(len(x)-1) * deviation / math.Sqrt(float64(len(x)))
}

// bestSecond returns the largest mean of the blocks of one second; 0 if there are fewer.
// On a line whose queue holds few packets, TCP leaves a gap in every loss recovery.
func bestSecond(x []float64, every time.Duration) (most float64) {
	n := int(math.Ceil(float64(time.Second) / float64(every)))
	for at := 0; at+n <= len(x); at++ {
		mean, _ := meanAndDeviation(x[at : at+n])
		most = max(most, mean)
	}
	return most
}

// middle returns the median. After a loss TCP delivers nothing and then much at once, and halves
// its window; on a fast line most blocks contain neither.
func middle(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// cut sums intervals to blocks of equal length. Intervals that do not fill a block are dropped at
// the beginning.
func cut(x []int64) (parts []float64, every time.Duration) {
	size := max(1, len(x)/blocks)
	x = x[len(x)%size:]
	for part := range slices.Chunk(x, size) {
		sum := 0.0
		for _, n := range part {
			sum += float64(n)
		}
		parts = append(parts, sum)
	}
	return parts, time.Duration(size) * wire.LoadInterval
}

// change returns the start of the last part with a constant rate: the split with the least sum of
// squares about the two means; 0 if no split explains most of the variance. Data that TCP delivers
// late and all at once after a loss is not a change of the rate, nor is a rate that falls without a
// burst: TCP then waits for lost packets until the end.
func change(x []float64) (from int) {
	if from = burst(x); from > 0 {
		return from
	}
	least := changeExplains * squares(x)
	for at := 1; at <= len(x)-steadyBlocks; at++ {
		before, _ := meanAndDeviation(x[:at])
		after, _ := meanAndDeviation(x[at:])
		if sum := squares(x[:at]) + squares(x[at:]); sum < least && after > before {
			least, from = sum, at
		}
	}
	return from
}

// slowStart returns the number of blocks at the beginning in which much less arrived than later, at
// most a third of all.
func slowStart(x []float64) (n int) {
	later, _ := meanAndDeviation(x[len(x)/2:])
	for n < len(x)/3 && x[n] < slowFactor*later {
		n++
	}
	return n
}

// burst returns the number of blocks at the beginning in which a token bucket passed more than
// later: the mean of the second half is far below them. TCP in slow start begins with less.
func burst(x []float64) (n int) {
	later, _ := meanAndDeviation(x[len(x)/2:])
	sum := 0.0
	for i, v := range x[:max(0, len(x)-steadyBlocks)] {
		if sum += v; v > burstFactor*later && sum > burstExcess*later*float64(i+1) {
			n = i + 1
		}
	}
	if n > 0 && n < len(x)-steadyBlocks {
		n++ // the burst ends within this one
	}
	return n
}

func squares(x []float64) (sum float64) {
	mean, _ := meanAndDeviation(x)
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

// meanAndDeviation returns the mean and the standard deviation of a sample; the latter is 0 for
// fewer than two values.
func meanAndDeviation(x []float64) (mean, deviation float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(x)-1))
}

// studentT975 returns the 97.5 % quantile of Student's t by the expansion of Abramowitz and Stegun
// 26.7.5, exact to 2 % from 3 degrees of freedom on.
func studentT975(degrees int) float64 {
	if degrees < 3 {
		return [...]float64{12.71, 12.71, 4.30}[max(0, degrees)]
	}
	const z = 1.959964
	v := float64(degrees)
	return z + (math.Pow(z, 3)+z)/(4*v) + (5*math.Pow(z, 5)+16*math.Pow(z, 3)+3*z)/(96*v*v) +
		(3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*math.Pow(z, 3)-15*z)/(384*v*v*v)
}
