package load

import (
	"context"
	"unsafe"

	"golang.org/x/sys/windows"
)

// powerStatus is SYSTEM_POWER_STATUS of winbase.h.
type powerStatus struct {
	ACLineStatus        byte // 0 battery, 1 mains, 255 unknown
	BatteryFlag         byte // 128: no battery
	BatteryLifePercent  byte // 255 unknown
	SystemStatusFlag    byte // 1: battery saver is on
	BatteryLifeTime     uint32
	BatteryFullLifeTime uint32
}

var getSystemPowerStatus = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")

func (system) pressure(string) *float64 { return nil }

func (system) throttles(context.Context) (n int64, state, ok bool) { return 0, false, false }

func (system) power(context.Context) power {
	var s powerStatus
	if r, _, _ := getSystemPowerStatus.Call(uintptr(unsafe.Pointer(&s))); r == 0 {
		return power{}
	}
	p := power{saving: new(s.SystemStatusFlag == 1)}
	switch s.ACLineStatus {
	case 0:
		p.source = "battery"
	case 1:
		p.source = "mains"
	}
	if s.BatteryFlag&128 == 0 && s.BatteryLifePercent <= 100 {
		p.batteryPct = new(float64(s.BatteryLifePercent))
	}
	return p
}
