package resident

import "testing"

func TestUnitArgument(t *testing.T) {
	for in, want := range map[string]string{
		"/var/lib/Ton Probe":              "/var/lib/Ton Probe",
		"https://bbb.example.org/?a=%20b": "https://bbb.example.org/?a=%%20b",
		"/srv/100% $HOME":                 "/srv/100%% $$HOME",
		`C:\x`:                            `C:\\x`,
		"/srv/a\nExecStartPre=/bin/sh":    `/srv/a\nExecStartPre=/bin/sh`,
	} {
		if got := unitArgument(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestParseShown reads what systemd 252 says.
func TestParseShown(t *testing.T) {
	for out, want := range map[string]State{
		"LoadState=not-found\nActiveState=inactive\nSubState=dead\n":          StateMissing,
		"LoadState=not-found\nActiveState=failed\nSubState=failed\n":          StateMissing, // removed after a fault
		"LoadState=not-found\nActiveState=active\nSubState=running\n":         StateRunning, // removed, but not stopped
		"LoadState=loaded\nActiveState=active\nSubState=running\n":            StateRunning,
		"LoadState=loaded\nActiveState=activating\nSubState=auto-restart\n":   StateWaiting,
		"LoadState=loaded\nActiveState=activating\nSubState=start\n":          StateRunning,
		"LoadState=loaded\nActiveState=inactive\nSubState=dead\n":             StateStopped,
		"LoadState=loaded\nActiveState=deactivating\nSubState=stop-sigterm\n": StateStopped,
		"LoadState=loaded\nActiveState=failed\nSubState=failed\n":             StateFailed,
		"LoadState=bad-setting\nActiveState=inactive\nSubState=dead\n":        StateFailed,
		"":                             "",
		"nonsense\n===":                "",
		"LoadState=loaded\nActive\n\n": "",
	} {
		if got, ok := parseShown(out); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", out, got, ok, want)
		}
	}
}
