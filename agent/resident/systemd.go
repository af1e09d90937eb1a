package resident

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/kardianos/service"
)

// systemd is the name of systemd in the library.
const systemd = "linux-systemd"

// unit is the unit file of the machine's service. The library's own unit file waits two
// minutes before a restart, and does not restart a service that fails often.
//
// The service has an account of its own without any capability, and can write only to its
// data folder and the folder of its socket. The following is not restricted, because the
// service requires it:
//   - the group systemd-journal, to read the records of crashes;
//   - netlink, for routes, Wi-Fi and the events of devices, and echoes over ping sockets
//     (net.ipv4.ping_group_range, which systemd opens for all);
//   - the names of other users' processes in /proc: no ProtectProc, ProcSubset;
//   - the accounts of its clients, which PrivateUsers would hide from SO_PEERCRED.
//
// RestartPreventExitStatus lists the status after an error in the settings, and ExitUnusable: a restart would
// fail every five seconds for ever.
//
// ExecStartPre gives the account the folder, and later the files that an administrator's
// program has created in it while the service was stopped.
const unit = `[Unit]
Description={{Description}}
ConditionFileIsExecutable={{Path | cmdEscape}}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStartPre=+/bin/chown --recursive --no-dereference ` + accountName + `: ` + dataArgumentMark + `
ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=64 78
User=` + accountName + `
SupplementaryGroups=systemd-journal
RuntimeDirectory=tonprobe
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths=` + dataMark + `
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
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

// userUnit is the unit file of a person's service. It does not restrict the access to files:
// a person's service manager cannot do that, and the service works with the person's files.
const userUnit = `[Unit]
Description={{Description}}
ConditionFileIsExecutable={{Path | cmdEscape}}
StartLimitIntervalSec=0

[Service]
ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=64 78
UMask=0077
NoNewPrivileges=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
`

// Placeholders for the data folder in unit, which are quoted differently.
const (
	dataMark         = "@DATA@"
	dataArgumentMark = "@DATA_ARGUMENT@"
)

// unitFor returns the unit of a service with its state in a folder.
func unitFor(data string) string {
	// A path in a list is quoted as a C string, and "%" is a specifier
	// (systemd.syntax(7), systemd.unit(5)).
	list := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "\n", `\n`, "{", `\x7b`, "}", `\x7d`)
	argument := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", `\n`, "{", `\x7b`, "}", `\x7d`)
	return strings.NewReplacer(
		dataMark, `"`+list.Replace(data)+`"`, dataArgumentMark, `"`+argument.Replace(data)+`"`,
	).Replace(unit)
}

func (u Setup) forSystemd(c *service.Config) {
	c.Option["SystemdScript"] = unitFor(u.Data)
	if u.User {
		c.Option["SystemdScript"] = userUnit
	}
	if path, err := os.Executable(); err == nil {
		c.Executable = strings.ReplaceAll(path, "%", "%%")
	}
	escaped := make([]string, len(c.Arguments))
	for i, a := range c.Arguments {
		escaped[i] = unitArgument(a)
	}
	c.Arguments = escaped
}

// unitArgument escapes what systemd would interpret in a command line: "%" is a specifier
// (systemd.unit(5)), "$" a variable, "\" an escape (systemd.service(5), "Command lines").
// The library adds the quotes.
func unitArgument(s string) string {
	return strings.NewReplacer("%", "%%", "$", "$$", `\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(s)
}

// Unit files of the machine's service: that of a deb or rpm package (.packaging/linux), and that
// of Install, which overrides it.
const (
	packagedUnit  = "/usr/lib/systemd/system/" + Name + ".service"
	installedUnit = "/etc/systemd/system/" + Name + ".service"
)

// Packaged reports whether a deb or rpm package contains the service. Its unit, account and
// folder belong to the package: Uninstall stops and disables the service, and keeps these.
func Packaged() bool { return runtime.GOOS == "linux" && exists(packagedUnit) }

// onlyPackaged reports whether the service has the unit of the package only.
func (u Setup) onlyPackaged() bool { return !u.User && Packaged() && !exists(installedUnit) }

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// disablePackaged disables the unit of the package. The library would also remove its own,
// which does not exist.
func disablePackaged() error {
	if out, err := exec.Command("systemctl", "disable", "--quiet", Name+".service").CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl disable: %w: %s", err, out)
	}
	return nil
}

// answerWithin limits the wait for a systemd that hangs.
const answerWithin = 10 * time.Second

// systemdState queries systemd directly, because the library reports a service that waits
// for its restart as running.
func systemdState(user bool) (State, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	arguments := []string{"show", "--property=LoadState,ActiveState,SubState", Name + ".service"}
	if user {
		arguments = append(arguments, "--user")
	}
	out, err := exec.CommandContext(ctx, "systemctl", arguments...).Output()
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
