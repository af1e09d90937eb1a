//go:build cgo

package capture

import (
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/gen2brain/malgo"
	"golang.org/x/sys/windows"

	"github.com/tonprobe/tonprobe/probe/report"
)

func soundSystems() []soundSystem {
	return []soundSystem{{name: "wasapi", backend: malgo.BackendWasapi, id: wideStringID}}
}

// wideStringID converts a WASAPI endpoint ID: NUL-terminated UTF-16.
func wideStringID(id malgo.DeviceID) string {
	units := make([]uint16, len(id)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(id[2*i:])
	}
	if end := slices.Index(units, 0); end >= 0 {
		units = units[:end]
	}
	return string(utf16.Decode(units))
}

// refuseEarly detects a service. It runs in session 0, where capture is silent or refused, and
// must record from a process in the user's session.
func refuseEarly() error {
	var session uint32
	if err := windows.ProcessIdToSessionId(windows.GetCurrentProcessId(), &session); err == nil && session == 0 {
		return &startError{state: report.CaptureNoSession, text: "no user is logged in", reason: report.NoSoundService}
	}
	return nil
}

func whyNoSound() *startError { return nil }
