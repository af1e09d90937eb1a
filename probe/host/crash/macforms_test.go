package crash

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestReportsOfMacOS: times without a fraction, reports that are not about a crash, and processes that show
// pages for another program.
func TestReportsOfMacOS(t *testing.T) {
	head := func(kind, name, at string) string {
		return `{"app_name":"` + name + `","timestamp":"` + at + `","app_version":"1.0","bug_type":"` + kind + `","os_version":"macOS 15.3 (24D60)","roots_installed":0,"incident_id":"X","name":"` + name + `"}` + "\n"
	}
	const at, short, micro = "2026-03-02 09:00:00.00 +0100", "2026-03-02 08:00:00 +0000", "2026-03-02 08:00:00.000000 +0000"
	for document, want := range map[string]string{
		head("210", "", short) + `{"build":"macOS","panicString":"panic(cpu 0)"}`:        "bluescreen",
		head("210", "", micro) + `{"panicString":"panic(cpu 0)"}`:                        "bluescreen",
		head("109", "zoom.us", short) + "Incident Identifier: X\nProcess: zoom.us [9]\n": "client_crashed Zoom",
		head("309", "firefox", at) + "{\n  \"procName\" : \"firefox\",\n  \"isCorpse\" : 1,\n  \"isNonFatal\" : false,\n  \"exception\" : {\"type\":\"EXC_BAD_ACCESS\",\"signal\":\"SIGSEGV\"}\n}":                     "client_crashed Firefox sigsegv",
		head("309", "firefox", at) + `{"procName":"firefox","isNonFatal":1,"exception":{"type":"EXC_GUARD"}}`:                                                                                                          "",
		head("309", "coreaudiod", at) + `{"procName":"coreaudiod","exception":{"type":"EXC_BAD_ACCESS","signal":"SIGSEGV"}}`:                                                                                           "sound_crashed  sigsegv",
		head("309", "firefox", at) + `{"procName":"firefox","isSimulated":true}`:                                                                                                                                       "",
		head("309", "com.apple.WebKit.WebContent", at) + `{"procName":"com.apple.WebKit.WebContent","responsibleProc":"Safari"}`:                                                                                       "client_crashed Safari",
		head("309", "com.apple.WebKit.WebContent", at) + `{"procName":"com.apple.WebKit.WebContent","responsibleProc":"Mail"}`:                                                                                         "",
		head("309", "com.apple.WebKit.WebContent", at) + `{"procName":"com.apple.WebKit.WebContent","responsibleProc":"zoom.us"}`:                                                                                      "client_crashed Zoom",
		head("309", "plugin-container", at) + `{"procName":"plugin-container","responsibleProc":"thunderbird"}`:                                                                                                        "",
		head("309", "plugin-container", at) + `{"procName":"plugin-container","responsibleProc":"firefox"}`:                                                                                                            "client_crashed Firefox",
		head("309", "Microsoft Teams WebView Helper", at) + `{"procName":"Microsoft Teams WebView Helper","responsibleProc":"MSTeams"}`:                                                                                "client_crashed Teams",
		head("309", "MSTeams", at) + `{"procName":"MSTeams"}`:                                                                                                                                                          "client_crashed Teams",
		"Process:               com.apple.WebKit.WebContent [9]\nResponsible:           Mail [7]\nDate/Time:             2026-03-02 09:00:00.000 +0100\n":                                                              "",
		"Process:               com.apple.WebKit.WebContent [9]\nResponsible:           Safari [7]\nDate/Time:             2026-03-02 09:00:00.000 +0100\nException Type:        EXC_CRASH (Code Signature Invalid)\n": "client_crashed Safari",
		head("385", "firefox", at) + `{"procName":"firefox","isNonFatal":1}`:                                                                                                                                           "",
		head("288", "zoom.us", at) + `{"reason":"sysdiagnose (stackshot only)","processByPid":{"712":{"procname":"zoom.us"}}}`:                                                                                         "",
		head("298", "", at) + `{"memoryStatus":{},"largestProcess":"com.apple.WebKit.WebContent","processes":[{"name":"firefox","reason":"vm-pageshortage","states":["idle"]}]}`:                                       "out_of_memory Firefox",
	} {
		e, ok, err := parseDiagnosticReport(strings.NewReader(document))
		if err != nil || ok != (want != "") || ok && eventText(e) != want {
			t.Errorf("%s: got %v, %q, error %v; want %q", document, ok, eventText(e), err, want)
		}
		if ok && e.At.Unix() != 1772438400 {
			t.Errorf("%s: got time %v, want %v", document, e.At, time.Unix(1772438400, 0))
		}
	}
}

// TestRetiredReports: macOS moves a report there once it was sent.
func TestRetiredReports(t *testing.T) {
	home := t.TempDir()
	retired := filepath.Join(home, "Library/Logs/DiagnosticReports/Retired")
	if err := os.MkdirAll(retired, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(retired, "zoom.us-2026.ips"), []byte(`{"name":"zoom.us","timestamp":"2026-03-02 09:00:00.00 +0100","bug_type":"309"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	events, err := readDiagnosticReports(t.Context(), reportFolders([]string{home})[2:], noon.Add(-24*time.Hour))
	if got := eventTexts(events); err != nil || !reflect.DeepEqual(got, []string{"client_crashed Zoom"}) {
		t.Errorf("got %q, error %v; want client_crashed Zoom", got, err)
	}
}
