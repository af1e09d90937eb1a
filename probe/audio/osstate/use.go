package osstate

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Use is another program that uses a microphone now.
type Use struct {
	// DeviceID is the microphone, as in Snapshot.Devices; empty when the system
	// does not say which one it is.
	DeviceID string `json:"device_id,omitempty"`
	// Program is its name in report.Programs; empty for one that is not there.
	Program string `json:"program,omitempty"`
}

// Uses are the other programs at microphones at one moment.
type Uses struct {
	// Known is false where the system does not tell who uses microphones.
	Known bool  `json:"known,omitempty"`
	List  []Use `json:"list,omitempty"`
}

// Of says whether another program uses the microphone, nil when that is not
// known, and its name where that may be told.
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

// knownPrograms has the words of file names, package names and Pulse's
// application names by which the programs of report.Programs are known.
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

// programName finds a known program in what a system calls it: the path of a
// file, a package family (Microsoft.SkypeApp_kzf8qxf38zg5c) or a free name
// ("Google Chrome input"). Everything else stays unnamed, as a file may be
// called after a person.
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

// bluetoothCodecName is a codec as report.BluetoothCodecs writes it, from the
// words of PulseAudio ("mSBC", "sbc_xq_512") and PipeWire ("msbc"); empty for
// any other.
func bluetoothCodecName(said string) string {
	said = strings.ReplaceAll(strings.ToLower(said), "-", "_")
	// The longest fit: sbc_xq_512 is no plain sbc.
	best := ""
	for _, codec := range report.BluetoothCodecs() {
		if (said == codec || strings.HasPrefix(said, codec+"_")) && len(codec) > len(best) {
			best = codec
		}
	}
	return best
}
