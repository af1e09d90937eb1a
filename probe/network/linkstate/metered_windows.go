package linkstate

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/go-ole/go-ole"
)

var (
	classNetworkListManager = ole.NewGUID("{DCB00C01-570F-4A9B-8D69-199FDBA5723B}")
	iidNetworkCostManager   = ole.NewGUID("{DCB00008-570F-4A9B-8D69-199FDBA5723B}")
)

// costManager is an INetworkCostManager (netlistmgr.h): the methods of IUnknown, then
// GetCost.
type costManager struct{ table *[4]uintptr }

// metered reads the cost of the machine's connection to the internet.
func metered(context.Context) *bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const alreadyInitialised = 1 // S_FALSE
	if err := ole.CoInitializeEx(0, ole.COINIT_MULTITHREADED); err != nil {
		if e, ok := errors.AsType[*ole.OleError](err); !ok || e.Code() != alreadyInitialised {
			return nil
		}
	}
	defer ole.CoUninitialize()
	unknown, err := ole.CreateInstance(classNetworkListManager, iidNetworkCostManager)
	if err != nil {
		return nil
	}
	defer unknown.Release()
	manager := (*costManager)(unsafe.Pointer(unknown))
	var cost uint32
	result, _, _ := syscall.SyscallN(manager.table[3], uintptr(unsafe.Pointer(manager)), uintptr(unsafe.Pointer(&cost)), 0)
	if int32(result) < 0 {
		return nil
	}
	return parseNetworkCost(cost)
}
