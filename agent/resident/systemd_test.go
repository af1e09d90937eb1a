package resident

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestUnitIsHardened checks that the service can write to the data folder only.
func TestUnitIsHardened(t *testing.T) {
	for data, want := range map[string]string{
		"/var/lib/tonprobe":             `ReadWritePaths="/var/lib/tonprobe"`,
		"/var/lib/Ton Probe 100% $HOME": `ReadWritePaths="/var/lib/Ton Probe 100%% $HOME"`,
		`/srv/"a\b`:                     `ReadWritePaths="/srv/\"a\\b"`,
		"/srv/a\nExecStartPre=/bin/sh":  `ReadWritePaths="/srv/a\nExecStartPre=/bin/sh"`,
		"/srv/{{.Name}}":                `ReadWritePaths="/srv/\x7b\x7b.Name\x7d\x7d"`,
	} {
		text := unitFor(data)
		if !strings.Contains(text, "\n"+want+"\n") || strings.Contains(text, dataMark) {
			t.Errorf("%q: got\n%s\nwant a line %s", data, text, want)
		}
		for _, must := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "User=tonprobe\n"} {
			if !strings.Contains(text, must) {
				t.Errorf("got\n%s\nwant %s in it", text, must)
			}
		}
	}
	if text := unitFor("/srv/100% $HOME"); !strings.Contains(text, `tonprobe: "/srv/100%% $$HOME"`+"\n") {
		t.Errorf("got %s, want an escaped folder", text)
	}
}

// TestUnitsPreventEndlessRestarts: a service that cannot start until a person mends something is not restarted.
func TestUnitsPreventEndlessRestarts(t *testing.T) {
	want := fmt.Sprintf("\nRestartPreventExitStatus=64 %d\n", ExitUnusable)
	for name, text := range map[string]string{"of the machine": unitFor("/var/lib/tonprobe"), "of a person": userUnit} {
		if !strings.Contains(text, want) {
			t.Errorf("the service %s: got\n%s\nwant %q in it", name, text, want)
		}
	}
}

func TestUnitArgument(t *testing.T) {
	for in, want := range map[string]string{
		"/var/lib/Ton Probe":              "/var/lib/Ton Probe",
		"https://bbb.example.org/?a=%20b": "https://bbb.example.org/?a=%%20b",
		"/srv/100% $HOME":                 "/srv/100%% $$HOME",
		`C:\x`:                            `C:\\x`,
		"/srv/a\nExecStartPre=/bin/sh":    `/srv/a\nExecStartPre=/bin/sh`,
	} {
		if got := unitArgument(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestParseShown uses output of systemd 252.
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
			t.Errorf("%q: got %q, %v, want %q", out, got, ok, want)
		}
	}
}

// TestPackagedUnit: the unit of the deb and rpm packages is that of "tonprobe service install".
func TestPackagedUnit(t *testing.T) {
	got, err := os.ReadFile("../../.packaging/linux/tonprobe.service")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		"{{Description}}", Setup{}.config().Description,
		"{{Path | cmdEscape}}", "/usr/bin/tonprobe",
		"{{range Arguments}} {{. | cmd}}{{end}}", ` "service" "run" "--data" "/var/lib/tonprobe" "--machine"`,
	).Replace(unitFor("/var/lib/tonprobe"))
	if string(got) != want {
		t.Errorf("the unit of the package is\n%s\nwant\n%s", got, want)
	}
}
