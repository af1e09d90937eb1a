package watch

import (
	"time"

	"golang.org/x/sys/unix"
)

// systemClocks returns the time awake and the time since the start (clock_gettime(2)).
func systemClocks() (awake, elapsed time.Duration) {
	return clockOf(unix.CLOCK_MONOTONIC), clockOf(unix.CLOCK_BOOTTIME)
}

func clockOf(id int32) time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
