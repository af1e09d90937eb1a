package adapter

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	wlanapi            = windows.NewLazySystemDLL("wlanapi.dll")
	wlanOpenHandle     = wlanapi.NewProc("WlanOpenHandle")
	wlanCloseHandle    = wlanapi.NewProc("WlanCloseHandle")
	wlanQueryInterface = wlanapi.NewProc("WlanQueryInterface")
	wlanFreeMemory     = wlanapi.NewProc("WlanFreeMemory")
)

// opcodeRSSI is wlan_intf_opcode_rssi, a LONG in dBm. Unlike the connection attributes it does not expose the SSID to
// this process.
const opcodeRSSI = 0x10000102

// signalOf queries the Wi-Fi service. From Windows 11 24H2 on this may require the person's consent to location, and
// server editions have no such service; the signal is then unknown.
func signalOf(adapter *windows.GUID) *float64 {
	if wlanQueryInterface.Find() != nil {
		return nil
	}
	var version uint32
	var handle windows.Handle
	if r, _, _ := wlanOpenHandle.Call(2, 0, uintptr(unsafe.Pointer(&version)), uintptr(unsafe.Pointer(&handle))); r != 0 {
		return nil
	}
	defer func() { _, _, _ = wlanCloseHandle.Call(uintptr(handle), 0) }()
	var size uint32
	var data *int32
	r, _, _ := wlanQueryInterface.Call(uintptr(handle), uintptr(unsafe.Pointer(adapter)), opcodeRSSI, 0,
		uintptr(unsafe.Pointer(&size)), uintptr(unsafe.Pointer(&data)), 0)
	if r != 0 || data == nil {
		return nil
	}
	defer func() { _, _, _ = wlanFreeMemory.Call(uintptr(unsafe.Pointer(data))) }()
	if dbm := float64(*data); size >= 4 && isSignal(dbm) {
		return &dbm
	}
	return nil
}
