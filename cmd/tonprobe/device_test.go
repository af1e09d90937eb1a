package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/audio"
)

func TestChooseDevice(t *testing.T) {
	devices := []audio.Device{
		{Name: "USB Audio", ID: "usb-1.2"}, {Name: "Monitor of Speaker", ID: "speaker.monitor", IsMonitor: true},
		{Name: "USB Audio", ID: "usb-1.4"}, {Name: "Headset", ID: "headset"}, {Name: "2", ID: "two"},
	}
	for wanted, id := range map[string]string{"usb-1.4": "usb-1.4", "Headset": "headset", "3": "usb-1.4", "2": "two"} {
		if got, err := chooseDevice(devices, wanted); got != id || err != nil {
			t.Errorf("%s: got %q, error %v; want %q", wanted, got, err, id)
		}
	}
	for wanted, key := range map[string]string{"USB Audio": "check.twin_device", "6": "check.unknown_device", "Webcam": "check.unknown_device"} {
		_, err := chooseDevice(devices, wanted)
		e, ok := errors.AsType[*usageError](err)
		if !ok || e.key != key {
			t.Errorf("%s: got error %v, want %s", wanted, err, key)
		}
		if known, _ := e.args[3].(string); key == "check.twin_device" && !(strings.Contains(known, "1 (usb-1.2)") && strings.Contains(known, "3 (usb-1.4)")) {
			t.Errorf("%s: %q does not distinguish the devices", wanted, known)
		}
	}
}
