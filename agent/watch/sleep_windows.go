package watch

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var queryUnbiasedInterruptTime = windows.NewLazySystemDLL("kernel32.dll").NewProc("QueryUnbiasedInterruptTime")

// systemClocks returns the time awake, in units of 100 ns, and the time since the start.
func systemClocks() (awake, elapsed time.Duration) {
	var ticks uint64
	if r, _, _ := queryUnbiasedInterruptTime.Call(uintptr(unsafe.Pointer(&ticks))); r == 0 {
		return 0, 0
	}
	return time.Duration(ticks) * 100, windows.DurationSinceBoot()
}
