package watch

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockUptimeRaw is CLOCK_UPTIME_RAW of time.h, which does not advance during sleep.
const clockUptimeRaw = 8

// systemClocks returns the time awake and the time since the start (clock_gettime(3)).
func systemClocks() (awake, elapsed time.Duration) {
	return clockOf(clockUptimeRaw), clockOf(unix.CLOCK_MONOTONIC)
}

func clockOf(id int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
