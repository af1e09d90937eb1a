package probe

import "time"

const (
	// longestTick is well above the longest interval between two ticks of Windows.
	longestTick = 100 * time.Millisecond
	tickTrials  = 16
)

// betweenTicks returns the time of a clock that advances only at ticks, plus the time
// since the last tick. atTick and precise count units of 100 ns since the start of the
// system (realtimeapiset.h); atTick is the count from which now is derived.
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
