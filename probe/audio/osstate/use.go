package osstate

import (
	"slices"
	"strings"
	"unicode"

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

// knownPrograms returns the words in file names, package names and PulseAudio
// application names that identify the programs of report.Programs.
func knownPrograms() map[string]string {
	return map[string]string{
		"zoom": "Zoom", "cpthost": "Zoom",
		"teams": "Teams", "msteams": "Teams", "ms-teams": "Teams",
		"webex": "Webex", "ciscocollabhost": "Webex", "atmgr": "Webex",
		"skype": "Skype", "skypeapp": "Skype", "lync": "Skype",
		"discord": "Discord", "slack": "Slack", "signal": "Signal", "whatsapp": "WhatsApp", "whatsappdesktop": "WhatsApp",
		"facetime": "FaceTime", "gotomeeting": "GoTo", "g2mcomm": "GoTo", "goto": "GoTo",
		"jitsi": "Jitsi", "opentalk": "OpenTalk", "alfaview": "alfaview",
		"chrome": "Chrome", "chromium": "Chromium", "firefox": "Firefox", "msedge": "Edge", "edge": "Edge",
		"opera": "Opera", "brave": "Brave", "vivaldi": "Vivaldi", "safari": "Safari",
		"obs": "OBS", "obs64": "OBS", "audacity": "Audacity", "natspeak": "Dragon", "dragon": "Dragon", "cortana": "Cortana",
	}
}

// programName identifies a known program by the system's description of it: a file
// path, a package family name (Microsoft.SkypeApp_kzf8qxf38zg5c) or free text ("Google
// Chrome input"). Other programs remain unnamed, because a file name may contain a
// person's name.
func programName(said string) string {
	known := knownPrograms()
	base := strings.ToLower(said[strings.LastIndexAny(said, `/\#`)+1:])
	base = strings.TrimSuffix(base, ".exe")
	if name, ok := known[base]; ok {
		return name
	}
	words := strings.FieldsFunc(base, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '-' })
	if i := slices.IndexFunc(words, func(w string) bool { return known[w] != "" }); i >= 0 {
		return known[words[i]]
	}
	return ""
}

// bluetoothCodecName converts the codec names of PulseAudio ("mSBC", "sbc_xq_512")
// and PipeWire ("msbc") to report.BluetoothCodecs; empty for any other.
func bluetoothCodecName(said string) string {
	said = strings.ReplaceAll(strings.ToLower(said), "-", "_")
	// The longest match: sbc_xq_512 is not plain sbc.
	best := ""
	for _, codec := range report.BluetoothCodecs() {
		if (said == codec || strings.HasPrefix(said, codec+"_")) && len(codec) > len(best) {
			best = codec
		}
	}
	return best
}
