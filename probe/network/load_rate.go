package network

import "time"

// rate is what a phase reached.
type rate struct {
	moved   int // bytes in all
	counted int64
	took    time.Duration // for those counted
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

// kbps is the rate, or nil where it tells nothing of the line. A phase ends by
// its context: where it seems to have lasted longer, the clock was set meanwhile.
func (r rate) kbps(trusted time.Duration) *float64 {
	if r.counted <= 0 || r.took <= 0 || r.took > fullTime+askWait {
		return nil
	}
	kbps := r.perMS() * 8
	if r.took < trusted && kbps < enoughKbps {
		return nil
	}
	return &kbps
}

// perMS is bytes in a millisecond; 0 where nothing was counted.
func (r rate) perMS() float64 {
	if r.took <= 0 {
		return 0
	}
	return float64(r.counted) / (r.took.Seconds() * 1000)
}

// afterStart is the rate over the last two thirds of what arrived: in the first,
// TCP is only getting up to speed (RFC 5681 §3.1).
func afterStart(arrivals []arrival) (r rate) {
	if len(arrivals) == 0 {
		return r
	}
	first, last := arrivals[0], arrivals[len(arrivals)-1]
	for _, a := range arrivals {
		if 3*a.at.Sub(first.at) >= last.at.Sub(first.at) {
			r.counted, r.took = last.bytes-a.bytes, last.at.Sub(a.at)
			break
		}
	}
	return r
}

// arrival is how much had come by a time.
type arrival struct {
	at    time.Time
	bytes int64
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
