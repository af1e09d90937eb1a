// Package resident makes the agent a background service of the system: a thin
// wrapper around kardianos/service, and the work the service does.
package resident

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/kardianos/service"
)

// Name is what the system calls the service.
const Name = "tonprobe"

// StopWithin is how long a stop may take. Windows waits 20 s and systemd 90 s,
// but a person who waits at a prompt does not.
const StopWithin = 10 * time.Second

// ExitFatal is the exit status after a failure that the service cannot get
// over. It is not zero and comes without a clean stop, so that the system's
// recovery starts the service again.
const ExitFatal = 70

// Errors of Control, for a person to be told about.
var (
	// ErrNotAdmin says that only an administrator may do this.
	ErrNotAdmin = errors.New("only an administrator may do this")
	// ErrNotInstalled says that there is no such service on this machine.
	ErrNotInstalled = service.ErrNotInstalled
	// ErrNoServiceSystem says that this system has no services.
	ErrNoServiceSystem = service.ErrNoServiceSystemDetected
)

// ManagerError is a refusal by the system's service manager.
type ManagerError struct {
	Platform string // such as linux-systemd
	Err      error
}

func (e *ManagerError) Error() string { return fmt.Sprintf("%s: %v", e.Platform, e.Err) }
func (e *ManagerError) Unwrap() error { return e.Err }

// Action is what Control can do.
type Action string

// The actions.
const (
	Install   Action = "install"
	Uninstall Action = "uninstall"
	Start     Action = "start"
	Stop      Action = "stop"
	Restart   Action = "restart"
)

// Control does action with the service that runs this program with arguments.
func Control(action Action, arguments []string) error {
	// Without this check some systems fail half way with a message about a file.
	if runtime.GOOS != "windows" && os.Geteuid() != 0 {
		return ErrNotAdmin
	}
	s, err := service.New(idle{}, config(arguments))
	if err != nil {
		return fmt.Errorf("%s service: %w", action, err)
	}
	do := map[Action]func() error{
		Install: s.Install, Uninstall: s.Uninstall, Start: s.Start, Stop: s.Stop, Restart: s.Restart,
	}[action]
	if do == nil {
		return fmt.Errorf("unknown action %q", action)
	}
	if err := do(); err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EACCES) {
			return fmt.Errorf("%s service: %w: %w", action, ErrNotAdmin, err)
		}
		return fmt.Errorf("%s service: %w", action, &ManagerError{s.Platform(), err})
	}
	return nil
}

// Running says whether the service runs; ErrNotInstalled when there is none.
func Running() (bool, error) {
	s, err := service.New(idle{}, config(nil))
	if err != nil {
		return false, fmt.Errorf("ask for the service: %w", err)
	}
	status, err := s.Status()
	if err != nil && !errors.Is(err, service.ErrNotInstalled) && !initFile() {
		// Without systemd the library asks a program that is not there.
		err = service.ErrNotInstalled
	}
	if err != nil {
		return false, fmt.Errorf("ask for the service: %w", &ManagerError{s.Platform(), err})
	}
	return status == service.StatusRunning, nil
}

// initFile says whether any of the older systems of Linux could know the
// service. Elsewhere the service manager itself is believed.
func initFile() bool {
	if runtime.GOOS != "linux" {
		return true
	}
	for _, file := range []string{"/etc/init.d/" + Name, "/etc/init/" + Name + ".conf", "/etc/systemd/system/" + Name + ".service"} {
		if _, err := os.Stat(file); err == nil {
			return true
		}
	}
	return false
}

// Interactive is false when the system's service manager started this process.
func Interactive() bool { return service.Interactive() }

// Run does work until the system or the person at the keyboard asks for an
// end. A failure of work ends the process with ExitFatal.
func Run(work func(context.Context) error, log *slog.Logger) error {
	p := &program{work: work, log: log, exit: os.Exit}
	s, err := service.New(p, config(nil))
	if err != nil {
		return fmt.Errorf("run as a service: %w", err)
	}
	return s.Run()
}

func config(arguments []string) *service.Config {
	c := &service.Config{
		Name: Name, DisplayName: "Tonprobe",
		Description: "Checks the line for council sessions (never the microphone) and reports to the municipality's collector.",
		Arguments:   arguments,
		Option: service.KeyValue{
			"Restart":                "on-failure", // systemd
			"OnFailure":              "restart",    // Windows, from here on
			"OnFailureDelayDuration": "30s",
			"OnFailureResetPeriod":   3600,
			"DelayedAutoStart":       true,
			"KeepAlive":              true, // launchd, from here on
			"RunAtLoad":              true,
		},
	}
	if runtime.GOOS == "linux" {
		c.Dependencies = []string{"Wants=network-online.target", "After=network-online.target"}
	}
	return c
}

// idle stands in where the service is only spoken about.
type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }
