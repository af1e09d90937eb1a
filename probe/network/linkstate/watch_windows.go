package linkstate

import (
	"context"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	iphlpapi         = windows.NewLazySystemDLL("iphlpapi.dll")
	notifyAddrChange = iphlpapi.NewProc("NotifyAddrChange")
	cancelIPChange   = iphlpapi.NewProc("CancelIPChangeNotify")
)

// watch waits for NotifyAddrChange, which completes once for each change of an address. A
// lost Wi-Fi connection also removes its address.
func watch(ctx context.Context, changed chan<- struct{}) error {
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return fmt.Errorf("create an event: %w", err)
	}
	defer func() { _ = windows.CloseHandle(event) }()
	for {
		// The system writes into both until the event is set.
		var handle windows.Handle
		overlapped := &windows.Overlapped{HEvent: event}
		code, _, _ := notifyAddrChange.Call(uintptr(unsafe.Pointer(&handle)), uintptr(unsafe.Pointer(overlapped)))
		if code != uintptr(windows.ERROR_IO_PENDING) {
			return fmt.Errorf("subscribe to network changes: %w", windows.Errno(code))
		}
		for {
			const poll = 500 // ms; a wait cannot be cancelled by a context
			state, err := windows.WaitForSingleObject(event, poll)
			if ctx.Err() != nil || err != nil {
				_, _, _ = cancelIPChange.Call(uintptr(unsafe.Pointer(overlapped)))
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return fmt.Errorf("wait for changes of the network: %w", err)
			}
			if state == windows.WAIT_OBJECT_0 {
				break
			}
		}
		notify(changed)
	}
}

// switchedOff always returns false: it is only known from the event log.
func switchedOff(string) bool { return false }
