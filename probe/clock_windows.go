package probe

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernelbase                = windows.NewLazySystemDLL("kernelbase.dll")
	queryInterruptTime        = kernelbase.NewProc("QueryInterruptTime")
	queryInterruptTimePrecise = kernelbase.NewProc("QueryInterruptTimePrecise")
)

// Now returns the current time. time.Now does not advance between two ticks of Windows,
// for up to 15.6 ms (go.dev/issue/8687), which is too coarse for round trips and
// jitter. Windows versions before 10 provide nothing finer.
func (SystemClock) Now() time.Time {
	if queryInterruptTime.Find() != nil || queryInterruptTimePrecise.Find() != nil {
		return time.Now()
	}
	return betweenTicks(time.Now, hundredNanoseconds(queryInterruptTime), hundredNanoseconds(queryInterruptTimePrecise))
}

func hundredNanoseconds(query *windows.LazyProc) func() uint64 {
	return func() (n uint64) {
		_, _, _ = query.Call(uintptr(unsafe.Pointer(&n)))
		return n
	}
}
