package watch

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var queryUnbiasedInterruptTime = windows.NewLazySystemDLL("kernel32.dll").NewProc("QueryUnbiasedInterruptTime")

// systemClocks returns the time awake and the time since the start; zero if they are unknown.
func systemClocks() (awake, elapsed time.Duration) {
	var ticks uint64 // in units of 100 ns
	if r, _, _ := queryUnbiasedInterruptTime.Call(uintptr(unsafe.Pointer(&ticks))); r == 0 {
		return 0, 0
	}
	return time.Duration(ticks) * 100, windows.DurationSinceBoot()
}
