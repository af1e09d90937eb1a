package report

import (
	"slices"
	"strings"
	"unicode"
)

// knownPrograms returns the words in file names, package names, process names and
// PulseAudio application names that identify the programs of [Programs].
func knownPrograms() map[string]string {
	return map[string]string{
		"zoom": "Zoom", "cpthost": "Zoom", "aomhost": "Zoom", "aomhost64": "Zoom", "zwebview2agent": "Zoom", "zoomwebviewhost": "Zoom",
		"teams": "Teams", "msteams": "Teams", "ms-teams": "Teams", "teams-for-linux": "Teams",
		"webex": "Webex", "webexhost": "Webex", "ciscocollabhost": "Webex", "atmgr": "Webex",
		"skype": "Skype", "skypeapp": "Skype", "lync": "Skype",
		"discord": "Discord", "slack": "Slack", "signal": "Signal", "whatsapp": "WhatsApp", "whatsappdesktop": "WhatsApp",
		"facetime": "FaceTime", "gotomeeting": "GoTo", "g2mcomm": "GoTo", "goto": "GoTo",
		"jitsi": "Jitsi", "jitsi-meet": "Jitsi", "opentalk": "OpenTalk", "alfaview": "alfaview",
		"chrome": "Chrome", "chromium": "Chromium", "chromium-browser": "Chromium",
		"firefox": "Firefox", "firefox-bin": "Firefox", "firefox-esr": "Firefox", "msedge": "Edge", "edge": "Edge",
		"opera": "Opera", "brave": "Brave", "vivaldi": "Vivaldi", "vivaldi-bin": "Vivaldi", "safari": "Safari",
		"obs": "OBS", "obs64": "OBS", "audacity": "Audacity", "natspeak": "Dragon", "dragon": "Dragon", "cortana": "Cortana",
	}
}

// ProgramName identifies a program of [Programs] by the system's description of it: a
// file path, a package family name (Microsoft.SkypeApp_kzf8qxf38zg5c) or free text
// ("Google Chrome input"). It returns "" for other programs, because a file name may
// contain a person's name.
func ProgramName(said string) string {
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
