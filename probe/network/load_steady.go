package network

import (
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// wireShare is what a byte of payload takes on the line, with IP and TCP headers
// and timestamps (RFC 7323) in packets of 1500 bytes. The figures of media.load
// are rates of the IP layer, as RFC 9097 counts capacity, because that is what a
// line is sold and limited by.
const wireShare = 1500.0 / (1500 - 20 - 20 - 12)

const (
	// blocks is into how many equal parts the arrivals are cut.
	blocks = 24
	// steadyBlocks is the least that counts as the steady part.
	steadyBlocks = 8
	// changeExplains is the most of the variance that may remain beside a change;
	// the best split of 24 blocks of noise leaves about 0.75 of it.
	changeExplains = 0.5
	// burstFactor is how far above the later rate a burst is at least.
	burstFactor = 1.5
	// burstExcess is how far all until its end is above it. What TCP hands over late
	// and at once makes up for what it held back, and is no excess.
	burstExcess = 1.6
	// initialWindows is what four initial windows of TCP fill several times over, so
	// that slow start does not show.
	initialWindows = 256 << 10
	// slowFactor is how far below the later rate slow start is at least.
	slowFactor = 0.6
	// fewestIntervals make any part.
	fewestIntervals = 4
)

// arrived is what came to the receiver, by intervals of wire.LoadInterval from
// the first byte on.
type arrived struct {
	bytes []int64
	// firstEnd is the interval in which the first transfer was complete, when
	// there was one: after it fewer transfers fill the line.
	firstEnd *int
	// segments means that segments were counted as they arrived, so that bytes is
	// never above the rate of the line.
	segments bool
}

// longSilence is how many intervals without a byte no full line has: one packet of
// 1500 bytes takes 120 ms at 100 kbit/s.
const longSilence = 50

// heldBack reports that nothing came, or that most came at once and then nothing
// for longer than a line makes a packet wait: something on the way collects bytes.
func (a arrived) heldBack() bool {
	if len(a.bytes) == 0 {
		return true
	}
	silent := 0
	for i := len(a.bytes) - 1; i >= 0 && a.bytes[i] == 0; i-- {
		silent++
	}
	return a.firstEnd == nil && silent >= longSilence && 2*slices.Max(a.bytes) > a.sum()
}

// steady is the rate at which a full line lets bytes out: the slope of what
// arrived over the part of the time in which the rate no longer changes. Before
// it a TCP is getting up to speed (RFC 5681 §3.1), or a token bucket lets a burst
// through; both end in a change of the slope, which the least squares fit of two
// constants finds. It ends when the first transfer ends.
func (a arrived) steady() rate {
	x := a.bytes
	if a.firstEnd != nil && *a.firstEnd >= fewestIntervals {
		x = x[:min(*a.firstEnd, len(x))]
	}
	// What TCP holds back until the end because a packet is missing never arrives, and
	// the silence is no rate of the line.
	for len(x) > 0 && x[len(x)-1] == 0 {
		x = x[:len(x)-1]
	}
	if len(x) < fewestIntervals { // a line faster than any that is asked about here
		return a.whole()
	}
	parts, every := cut(x)
	from := change(parts)
	last := parts[from:]
	mean, spread := meanAndDeviation(last)
	switch {
	case a.sum() >= bytesAll/2: // a fast line: a block is a round trip
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

// trustworthy is how long bytes must have flowed for their rate to count. A TCP
// needs several round trips to get up to speed (RFC 5681 §3.1): what it reached
// before says how far the server is, unless that is enough for everything.
func trustworthy(idleRTTMS *float64) time.Duration {
	if idleRTTMS == nil {
		return neededWithoutAnRT
	}
	return time.Duration(roundTripsNeeded * *idleRTTMS * float64(time.Millisecond))
}

const (
	roundTripsNeeded  = 6
	enoughKbps        = 2000
	neededWithoutAnRT = time.Second
)

// mostIntervals is the most that a phase has.
const mostIntervals = int((fullTime + askWait) / wire.LoadInterval)

func (a arrived) moved() *int { return new(int(a.sum())) }

// kbps is the rate of the IP layer and its interval, or nil where it tells nothing
// of the line.
func (a arrived) kbps(idleRTTMS *float64) (*float64, *report.Interval) {
	r := a.steady()
	if r.counted <= 0 || r.took <= 0 {
		return nil, nil
	}
	kbps := r.steadyKbps
	if kbps == 0 {
		kbps = float64(r.counted) / (r.took.Seconds() * 1000) * 8 * wireShare
	}
	if r.took < trustworthy(idleRTTMS) && kbps < enoughKbps {
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

// whole is the rate over all of the time, the first interval counted as a full one.
func (a arrived) whole() rate {
	return rate{took: time.Duration(len(a.bytes)) * wire.LoadInterval, counted: a.sum()}
}

func (a arrived) sum() (all int64) {
	for _, n := range a.bytes {
		all += n
	}
	return all
}

// envelope is the largest mean from the beginning on, over half of the time at
// least. A TCP hands nothing over while a lost packet is missing; never does it
// hand over more than has arrived. On a line that is full from the beginning the
// moment when least was held back tells the rate best.
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
// even. Behind a proxy they are not, although the kernel counts segments: the proxy
// passes on what a lost packet has held back at once.
const evenShare = 0.15

// halfWidth returns half of the 95 % interval of the mean of x, which has this deviation.
func halfWidth(x []float64, deviation float64) float64 {
	return studentT975(len(x)-1) * deviation / math.Sqrt(float64(len(x)))
}

// bestSecond returns the largest mean of the blocks of one second; 0 if there are fewer.
// On a line whose queue holds few packets, a TCP leaves gaps in every loss recovery.
func bestSecond(x []float64, every time.Duration) (most float64) {
	n := int(math.Ceil(float64(time.Second) / float64(every)))
	for at := 0; at+n <= len(x); at++ {
		mean, _ := meanAndDeviation(x[at : at+n])
		most = max(most, mean)
	}
	return most
}

// middle is the median. After a loss a TCP hands nothing over and then much at once,
// and halves its window; on a fast line most blocks hold neither.
func middle(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// cut adds intervals up to blocks of equal length. What does not fill a block is
// left out at the beginning.
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

// change is where the last part of a constant rate begins: the split with the
// least sum of squares about the two means; 0 where no split explains most of the
// variance. What TCP delivers late and at once after a loss is not a change of the
// rate, and no split explains it. A rate that falls without a burst is a TCP that waits
// for lost packets until the end.
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

// slowStart is the number of blocks at the beginning in which much less came than
// later, at most a third of all.
func slowStart(x []float64) (n int) {
	later, _ := meanAndDeviation(x[len(x)/2:])
	for n < len(x)/3 && x[n] < slowFactor*later {
		n++
	}
	return n
}

// burst is the number of blocks at the beginning in which a token bucket let more
// through than it does later: the mean of the second half is far below them. A TCP
// that gets up to speed begins with less.
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

// meanAndDeviation are those of a sample; the deviation of fewer than two is 0.
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

// studentT975 is the 97.5 % quantile of Student's t, by the expansion of
// Abramowitz and Stegun 26.7.5; it is exact to 2 % from 3 degrees of freedom on.
func studentT975(degrees int) float64 {
	if degrees < 3 {
		return [...]float64{12.71, 12.71, 4.30}[max(0, degrees)]
	}
	const z = 1.959964
	v := float64(degrees)
	return z + (math.Pow(z, 3)+z)/(4*v) + (5*math.Pow(z, 5)+16*math.Pow(z, 3)+3*z)/(96*v*v) +
		(3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*math.Pow(z, 3)-15*z)/(384*v*v*v)
}
