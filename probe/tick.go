package probe

import "time"

const (
	// longestTick is well above the longest between two ticks of Windows.
	longestTick = 100 * time.Millisecond
	tickTrials  = 16
)

// betweenTicks is the time of a clock that only moves on at ticks, plus what
// has passed since the last one. atTick and precise count 100 ns since the
// system's start (realtimeapiset.h); atTick is the count that now is made from.
func betweenTicks(now func() time.Time, atTick, precise func() uint64) time.Time {
	for range tickTrials {
		tick := atTick()
		t := now()
		if atTick() != tick {
			continue // t may belong to either tick
		}
		since := time.Duration(precise()-tick) * 100
		if since < 0 || since > longestTick {
			return t
		}
		return t.Add(since)
	}
	return now()
}
