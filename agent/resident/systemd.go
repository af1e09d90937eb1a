package resident

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/kardianos/service"
)

// systemd is what the library calls it.
const systemd = "linux-systemd"

// unit is the service's unit file. The library's own waits two minutes before a
// restart, and gives up on a service that fails often.
const unit = `[Unit]
Description={{Description}}
ConditionFileIsExecutable={{Path | cmdEscape}}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
`

func forSystemd(c *service.Config) {
	c.Option["SystemdScript"] = unit
	if path, err := os.Executable(); err == nil {
		c.Executable = strings.ReplaceAll(path, "%", "%%")
	}
	escaped := make([]string, len(c.Arguments))
	for i, a := range c.Arguments {
		escaped[i] = unitArgument(a)
	}
	c.Arguments = escaped
}

// unitArgument takes away what systemd would read into a command line: a "%" is
// a specifier (systemd.unit(5)), a "$" a variable, a "\" an escape
// (systemd.service(5), "Command lines"). The quotes are the library's.
func unitArgument(s string) string {
	return strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(s)
}

// answerWithin bounds the wait for a systemd that hangs.
const answerWithin = 10 * time.Second

// systemdState asks systemd itself: the library takes a service that is waiting
// for its restart for a running one.
func systemdState() (State, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=LoadState,ActiveState,SubState", Name+".service").Output()
	if err != nil {
		return "", &ManagerError{systemd, fmt.Errorf("systemctl show: %w", err)}
	}
	state, ok := parseShown(string(out))
	if !ok {
		return "", &ManagerError{systemd, fmt.Errorf("systemctl show says %q", out)}
	}
	return state, nil
}

// parseShown reads the lines Name=value of systemctl show.
func parseShown(out string) (state State, ok bool) {
	shown := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		shown[name] = value
	}
	switch {
	case shown["SubState"] == "auto-restart":
		return StateWaiting, true
	case shown["ActiveState"] == "active", shown["ActiveState"] == "reloading", shown["ActiveState"] == "activating":
		return StateRunning, true
	case shown["LoadState"] == "not-found":
		return StateMissing, true
	case shown["ActiveState"] == "failed", shown["LoadState"] == "bad-setting", shown["LoadState"] == "error":
		return StateFailed, true
	case shown["ActiveState"] == "inactive", shown["ActiveState"] == "deactivating":
		return StateStopped, true
	}
	return "", false
}
