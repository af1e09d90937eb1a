package network

import (
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// rate is what a phase reached.
type rate struct {
	moved   int // bytes in all
	counted int64
	took    time.Duration // for those counted
	// steadyKbps and ci95 are set where arrivals were counted.
	steadyKbps float64
	ci95       *report.Interval
}

// A TCP needs several round trips to get up to speed (RFC 5681 §3.1). What it
// reached before says how far the server is, not what the line carries, unless
// that is enough for everything.
const (
	roundTripsNeeded  = 6
	enoughKbps        = 2000
	neededWithoutAnRT = time.Second
)

// trustworthy is how long bytes must have flowed for their rate to count.
func trustworthy(idleRTTMS *float64) time.Duration {
	if idleRTTMS == nil {
		return neededWithoutAnRT
	}
	return time.Duration(roundTripsNeeded * *idleRTTMS * float64(time.Millisecond))
}

// kbps is the rate of the IP layer and its interval, or nil where it tells nothing
// of the line. A phase ends by its context: where it seems to have lasted longer,
// the clock was set meanwhile.
func (r rate) kbps(trusted time.Duration) (*float64, *report.Interval) {
	if r.counted <= 0 || r.took <= 0 || r.took > fullTime+askWait {
		return nil, nil
	}
	kbps := r.steadyKbps
	if kbps == 0 {
		kbps = r.perMS() * 8 * wireShare
	}
	if r.took < trusted && kbps < enoughKbps {
		return nil, nil
	}
	return &kbps, r.ci95
}

// perMS is bytes in a millisecond; 0 where nothing was counted.
func (r rate) perMS() float64 {
	if r.took <= 0 {
		return 0
	}
	return float64(r.counted) / (r.took.Seconds() * 1000)
}

// together is the rate of transfers that ran side by side: each one's own pace,
// added up, over the longest of them.
func together(side []rate) (sum rate) {
	perMS := 0.0
	for _, r := range side {
		perMS += r.perMS()
		sum.took = max(sum.took, r.took)
	}
	sum.counted = int64(perMS * sum.took.Seconds() * 1000)
	return sum
}
