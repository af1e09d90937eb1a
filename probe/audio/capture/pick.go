package capture

import (
	"fmt"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// pick finds a device by ID, by name, by name ignoring case, or by a part of the
// name that is unique. An empty name means the default.
func pick(devices []Device, name string) (Device, error) {
	if len(devices) == 0 {
		// Opening the default device when there is none aborts the process in libpulse.
		return Device{}, &startError{state: report.CaptureNoDevice, text: "the sound system has no such device"}
	}
	if name == "" {
		return pickDefault(devices), nil
	}
	matches := []func(Device) bool{
		func(d Device) bool { return d.ID == name },
		func(d Device) bool { return d.Name == name },
		func(d Device) bool { return strings.EqualFold(d.Name, name) },
		func(d Device) bool { return strings.Contains(strings.ToLower(d.Name), strings.ToLower(name)) },
	}
	for _, match := range matches {
		var found []Device
		for _, d := range devices {
			if match(d) {
				found = append(found, d)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return Device{}, &startError{state: report.CaptureDeviceAbsent, text: fmt.Sprintf("%d devices match the requested name; give the full name", len(found))}
		}
	}
	return Device{}, &startError{state: report.CaptureDeviceAbsent, text: "the requested device does not exist"}
}

// pickDefault returns the system's default even if it is a monitor: a conference
// program would use it too, and the report states it.
func pickDefault(devices []Device) Device {
	for _, d := range devices {
		if d.IsDefault {
			return d
		}
	}
	for _, d := range devices {
		if !d.IsMonitor {
			return d
		}
	}
	return devices[0]
}
