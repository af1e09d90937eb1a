package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/kardianos/service"
)

// Errors of Control, for a person to be told about.
var (
	// ErrNotAdmin says that only an administrator may do this.
	ErrNotAdmin = errors.New("only an administrator may do this")
	// ErrNotInstalled says that there is no such service on this machine.
	ErrNotInstalled = service.ErrNotInstalled
	// ErrInstalled says that the service is there already, with the settings it
	// was installed with.
	ErrInstalled = errors.New("the service is already installed")
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
		Install: s.Install, Uninstall: func() error { return stopAndUninstall(s) },
		Start: s.Start, Stop: s.Stop, Restart: s.Restart,
	}[action]
	if do == nil {
		return fmt.Errorf("unknown action %q", action)
	}
	// What the service managers say of either is an exit status at best.
	switch state, err := stateOf(s); {
	case err != nil:
		return fmt.Errorf("%s service: %w", action, err)
	case action == Install && state != StateMissing:
		return fmt.Errorf("%s service: %w", action, ErrInstalled)
	case action != Install && state == StateMissing:
		return fmt.Errorf("%s service: %w", action, ErrNotInstalled)
	}
	if err := do(); err != nil {
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EACCES) {
			return fmt.Errorf("%s service: %w: %w", action, ErrNotAdmin, err)
		}
		return fmt.Errorf("%s service: %w", action, &ManagerError{s.Platform(), err})
	}
	return nil
}

// stopAndUninstall ends the service first: no service manager does so by
// itself, and it would check on, without anybody being able to stop it, until
// the computer is started again.
func stopAndUninstall(s service.Service) error {
	stopped := s.Stop()
	if err := s.Uninstall(); err != nil {
		return err
	}
	if state, err := stateOf(s); stopped != nil && err == nil && state != StateMissing {
		return fmt.Errorf("it still runs: %w", stopped)
	}
	return nil
}

// State is how the service stands.
type State string

// The states.
const (
	StateMissing State = "missing" // not installed
	StateRunning State = "running"
	StateStopped State = "stopped"
	StateWaiting State = "waiting" // it ended by a fault and is about to be started again
	StateFailed  State = "failed"  // it ended by a fault and stays so
)

// Status asks how the service stands.
func Status() (State, error) {
	s, err := service.New(idle{}, config(nil))
	if err != nil {
		return "", fmt.Errorf("ask for the service: %w", err)
	}
	state, err := stateOf(s)
	if err != nil {
		return "", fmt.Errorf("ask for the service: %w", err)
	}
	return state, nil
}

func stateOf(s service.Service) (State, error) {
	if s.Platform() == systemd {
		return systemdState()
	}
	status, err := s.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled), err != nil && !initFile():
		return StateMissing, nil // without a file the library asks a program that is not there
	case err != nil:
		return "", &ManagerError{s.Platform(), err}
	case status == service.StatusRunning:
		return StateRunning, nil
	}
	return StateStopped, nil
}

// initFile says whether any of the older systems of Linux could know the
// service. Elsewhere the service manager itself is believed.
func initFile() bool {
	if runtime.GOOS != "linux" {
		return true
	}
	for _, file := range []string{"/etc/init.d/" + Name, "/etc/init/" + Name + ".conf"} {
		if _, err := os.Stat(file); err == nil {
			return true
		}
	}
	return false
}

func config(arguments []string) *service.Config {
	c := &service.Config{
		Name: Name, DisplayName: "Tonprobe",
		Description: "Checks the line for council sessions (never the microphone) and reports to the municipality's collector.",
		Arguments:   arguments,
		Option: service.KeyValue{
			"OnFailure":              "restart", // Windows, from here on
			"OnFailureDelayDuration": "30s",
			"OnFailureResetPeriod":   3600,
			"DelayedAutoStart":       true,
			"KeepAlive":              true, // launchd, from here on
			"RunAtLoad":              true,
		},
	}
	if service.Platform() == systemd {
		forSystemd(c)
	}
	return c
}

// idle stands in where the service is only spoken about.
type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }
