package report

import (
	"slices"
	"testing"
)

func TestProgramNames(t *testing.T) {
	for said, want := range map[string]string{
		`C:#Program Files (x86)#Microsoft#Edge#Application#msedge.exe`: "Edge",
		`MSTeams_8wekyb3d8bbwe`:                             "Teams",
		`Microsoft.SkypeApp_kzf8qxf38zg5c`:                  "Skype",
		`/opt/zoom/zoom`:                                    "Zoom",
		"ZOOM VoiceEngine":                                  "Zoom",
		`C:\Users\x\AppData\Roaming\Zoom\bin\aomhost64.exe`: "Zoom",
		"/opt/zoom/ZoomWebviewHost":                         "Zoom",
		"Google Chrome input":                               "Chrome",
		`C:#Users#Zoom Müller#diktat.exe`:                   "", // a folder is not a program
		"Anna Müller":                                       "",
		"":                                                  "",
		"#":                                                 "",
	} {
		if got := ProgramName(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
	for word, name := range knownPrograms() {
		if !slices.Contains(Programs(), name) {
			t.Errorf("%s: %s is not permitted in a report", word, name)
		}
	}
	for _, name := range Programs() {
		if ProgramName(name) != name {
			t.Errorf("%s is not recognised by its own name", name)
		}
	}
}
