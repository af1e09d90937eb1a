package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/kardianos/service"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// Errors of Control that are shown to a person.
var (
	// ErrNotAdmin means that the action requires an administrator.
	ErrNotAdmin = errors.New("only an administrator may do this")
	// ErrNotInstalled means that the service is not installed on this machine.
	ErrNotInstalled = service.ErrNotInstalled
	// ErrNoUserService means that tonprobe-background.exe, which replaces a service of a person on
	// Windows, is missing.
	ErrNoUserService = errors.New("the program that starts at sign-in is missing")
	// ErrLongCommand means that Windows would not run the command at sign-in.
	ErrLongCommand = errors.New("the command for the sign-in is longer than 260 characters")
	// ErrNoServiceSystem means that this system has no service manager.
	ErrNoServiceSystem = service.ErrNoServiceSystemDetected
)

// ManagerError is an error of the system's service manager.
type ManagerError struct {
	Platform string // for example linux-systemd
	Err      error
}

func (e *ManagerError) Error() string { return fmt.Sprintf("%s: %v", e.Platform, e.Err) }
func (e *ManagerError) Unwrap() error { return e.Err }

// ForeignOwnerError means that the folder of the service, or a file in it, belongs to an
// account that could use it to gain the rights of the service.
type ForeignOwnerError struct{ Path string }

func (e *ForeignOwnerError) Error() string { return e.Path + " belongs to another account" }

// Action is an operation of Control.
type Action string

// Actions of Control.
const (
	Install   Action = "install"
	Uninstall Action = "uninstall"
	Start     Action = "start"
	Stop      Action = "stop"
	Restart   Action = "restart"
)

// Setup is the service to control.
type Setup struct {
	// User means the service of a person instead of that of the machine.
	User bool
	// Data is the service's folder.
	Data string
	// Arguments are those of the program, for Install.
	Arguments []string
}

// Control performs action. Install replaces an installed service, and starts it again if
// it was running, so it also upgrades it.
func (u Setup) Control(action Action) error {
	if u.User && runtime.GOOS == "windows" {
		return u.controlAtSignIn(action)
	}
	// Without this check, some systems fail later with an unclear message about a file.
	if !u.User && !isAdmin() {
		return ErrNotAdmin
	}
	s, err := service.New(idle{}, u.config())
	if err != nil {
		return fmt.Errorf("%s service: %w", action, err)
	}
	state, err := u.stateOf(s)
	if err != nil {
		return fmt.Errorf("%s service: %w", action, err)
	}
	// The service managers report this case by an exit status at best.
	if action != Install && state == StateMissing {
		return fmt.Errorf("%s service: %w", action, ErrNotInstalled)
	}
	if action == Install {
		if err := u.prepareFolder(); err != nil {
			return fmt.Errorf("%s service: %w", action, err)
		}
	}
	do := map[Action]func() error{
		Install: func() error { return u.install(s, state) }, Uninstall: func() error { return u.uninstall(s) },
		Start: s.Start, Stop: s.Stop, Restart: s.Restart,
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

// prepareFolder creates the folder: the unit of systemd permits writing only to this folder, so it must
// exist.
func (u Setup) prepareFolder() error {
	if err := durable.MkdirPrivate(u.Data); err != nil {
		return fmt.Errorf("create %s: %w", u.Data, err)
	}
	if u.User {
		return nil
	}
	return checkOwners(u.Data)
}

func (u Setup) install(s service.Service, state State) error {
	if state != StateMissing {
		if err := u.unregister(s); err != nil {
			return err
		}
	}
	if !u.User {
		if err := createAccount(); err != nil {
			return err
		}
	}
	if err := s.Install(); err != nil {
		return err
	}
	if !u.User {
		if err := grantAccess(u.Data); err != nil {
			return err
		}
	}
	if state == StateRunning || state == StateWaiting {
		return s.Start()
	}
	return nil
}

// unregister stops the service first. No service manager does that by itself, and the service would
// continue until the next boot without any means to stop it.
func (u Setup) unregister(s service.Service) error {
	stopped := s.Stop()
	if u.onlyPackaged() {
		if err := disablePackaged(); err != nil {
			return err
		}
	} else if err := s.Uninstall(); err != nil {
		return err
	}
	u.removeState()
	if state, err := u.stateOf(s); stopped != nil && err == nil && state != StateMissing {
		return fmt.Errorf("it is still running: %w", stopped)
	}
	return nil
}

func (u Setup) uninstall(s service.Service) error {
	if err := u.unregister(s); err != nil {
		return err
	}
	if u.User {
		return nil
	}
	if Packaged() { // its account belongs to the package
		return nil
	}
	return removeAccount(u.Data)
}

// State is the state of the service.
type State string

// States of the service.
const (
	StateMissing State = "missing" // not installed
	StateRunning State = "running"
	StateStopped State = "stopped"
	StateWaiting State = "waiting" // failed and about to be restarted
	StateFailed  State = "failed"  // failed and not restarted
)

// Status returns the state of the service.
func (u Setup) Status() (State, error) {
	if u.User && runtime.GOOS == "windows" {
		return stateAtSignIn()
	}
	s, err := service.New(idle{}, u.config())
	if err != nil {
		return "", fmt.Errorf("query the service: %w", err)
	}
	state, err := u.stateOf(s)
	if err != nil {
		return "", fmt.Errorf("query the service: %w", err)
	}
	return state, nil
}

func (u Setup) stateOf(s service.Service) (State, error) {
	if s.Platform() == systemd {
		return systemdState(u.User)
	}
	status, err := s.Status()
	return stateFrom(s.Platform(), status, err, initFile())
}

// stateFrom interprets the answer of a service manager. initFile is the
// result of the function initFile.
func stateFrom(platform string, status service.Status, err error, initFile bool) (State, error) {
	_, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(err, service.ErrNotInstalled), err != nil && !initFile:
		return StateMissing, nil // without a file the library runs a program that does not exist
	case exited && (platform == systemV || platform == upstart):
		// The script of System V ends with an error if the service is not running, as LSB
		// requires of "status". Upstart may not have loaded the job yet.
		return StateStopped, nil
	case err != nil:
		return "", &ManagerError{platform, err}
	case status == service.StatusRunning:
		return StateRunning, nil
	}
	return StateStopped, nil
}

// Names that the library gives to the older init systems of Linux.
const (
	systemV = "unix-systemv"
	upstart = "linux-upstart"
)

// initFile reports whether the service may be installed with one of the older init systems of Linux.
// On other systems the answer of the service manager is sufficient.
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

func (u Setup) config() *service.Config {
	c := &service.Config{
		Name: Name, DisplayName: "Tonprobe",
		Description: "Checks the line for council sessions (never the microphone) and reports to the municipality's collector.",
		Arguments:   u.Arguments,
		Option: service.KeyValue{
			"OnFailure":              "restart", // Windows, from here on
			"OnFailureDelayDuration": "30s",
			"OnFailureResetPeriod":   3600,
			"DelayedAutoStart":       true,
			"KeepAlive":              true, // launchd, from here on
			"RunAtLoad":              true,
			"UserService":            u.User,
		},
	}
	if !u.User && runtime.GOOS == "windows" { // the unit of systemd names it
		c.UserName = accountName
	}
	if service.Platform() == systemd {
		u.forSystemd(c)
	}
	return c
}

// idle is a placeholder for operations that do not run the service.
type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }
