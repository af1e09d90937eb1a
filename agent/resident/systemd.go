package resident

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/kardianos/service"
)

// systemd is the name of systemd in the library.
const systemd = "linux-systemd"

// unit is the unit file of the service. The library's own waits two minutes before a
// restart, and gives up on a service that fails often.
//
// The service runs as root without root's privileges: the only remaining capability is
// raw sockets, for ICMP where ping sockets are not allowed, and the file system is
// read-only except for the data folder.
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
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_NET_RAW
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths=` + dataMark + `
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`

// dataMark is the placeholder for the data folder in unit.
const dataMark = "@DATA@"

// unitFor returns the unit of a service with its state in a folder.
func unitFor(data string) string {
	// A path in a list is quoted as a C string, and "%" is a specifier
	// (systemd.syntax(7), systemd.unit(5)).
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "\n", `\n`, "{", `\x7b`, "}", `\x7d`).Replace(data)
	return strings.Replace(unit, dataMark, `"`+quoted+`"`, 1)
}

func forSystemd(c *service.Config) {
	c.Option["SystemdScript"] = unitFor(dataOf(c.Arguments))
	if path, err := os.Executable(); err == nil {
		c.Executable = strings.ReplaceAll(path, "%", "%%")
	}
	escaped := make([]string, len(c.Arguments))
	for i, a := range c.Arguments {
		escaped[i] = unitArgument(a)
	}
	c.Arguments = escaped
}

// dataOf returns the data folder in the arguments of a service.
func dataOf(arguments []string) string {
	if i := slices.Index(arguments, "--data"); i >= 0 && i+1 < len(arguments) {
		return arguments[i+1]
	}
	return "/var/lib/tonprobe"
}

// unitArgument escapes what systemd would interpret in a command line: "%" is a specifier
// (systemd.unit(5)), "$" a variable, "\" an escape (systemd.service(5), "Command lines").
// The library adds the quotes.
func unitArgument(s string) string {
	return strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(s)
}

// answerWithin limits the wait for a systemd that hangs.
const answerWithin = 10 * time.Second

// systemdState queries systemd directly, because the library reports a service that waits
// for its restart as running.
func systemdState() (State, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=LoadState,ActiveState,SubState", Name+".service").Output()
	if err != nil {
		return "", &ManagerError{systemd, fmt.Errorf("systemctl show: %w", err)}
	}
	state, ok := parseShown(string(out))
	if !ok {
		return "", &ManagerError{systemd, fmt.Errorf("unexpected output of systemctl show: %q", out)}
	}
	return state, nil
}

// parseShown parses the lines Name=value of systemctl show.
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
