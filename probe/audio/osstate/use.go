package osstate

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Use is another program that uses a microphone now.
type Use struct {
	// DeviceID is the microphone, as in Snapshot.Devices; empty if the system does not
	// identify it.
	DeviceID string `json:"device_id,omitempty"`
	// Program is its name in report.Programs; empty for other programs.
	Program string `json:"program,omitempty"`
}

// Uses lists the other programs that use microphones at one time.
type Uses struct {
	// Known is false if the system does not report who uses microphones.
	Known bool  `json:"known,omitempty"`
	List  []Use `json:"list,omitempty"`
}

// Of reports whether another program uses the microphone, nil if that is unknown, and
// its name if it may be reported.
func (u Uses) Of(deviceID string) (elsewhere *bool, program string) {
	if !u.Known {
		return nil, ""
	}
	used := false
	for _, use := range u.List {
		if use.DeviceID != "" && deviceID != "" && use.DeviceID != deviceID {
			continue
		}
		used = true
		if program == "" {
			program = use.Program
		}
	}
	return &used, program
}

// bluetoothCodecName converts the codec names of PulseAudio ("mSBC", "sbc_xq_512")
// and PipeWire ("msbc") to report.BluetoothCodecs; empty for any other.
func bluetoothCodecName(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	// The longest match: sbc_xq_512 is not plain sbc.
	best := ""
	for _, codec := range report.BluetoothCodecs() {
		if (name == codec || strings.HasPrefix(name, codec+"_")) && len(codec) > len(best) {
			best = codec
		}
	}
	return best
}
