package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Windows has no services without an administrator. Instead, the agent of a person starts at the
// sign-in: launcher, a program without a window, runs it. The installer for one person does the same
// as Install. Windows lists the entry in its settings under "Startup", where the person can turn it off.
const (
	launcher = "tonprobe-background.exe"
	runKey   = `Software\Microsoft\Windows\CurrentVersion\Run`
	runName  = "Tonprobe"
	// approvedKey contains what the person has turned off in the settings. An update by the installer
	// writes the value runName in runKey again, but does not change approvedKey.
	approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`
	// maxRunLine is the longest command that Windows runs at sign-in.
	maxRunLine = 260
	// Names of launcher, in the session of the person.
	launcherMutex = `Local\tonprobe-background`
	launcherEvent = `Local\tonprobe-background-stop`
)

// launcherStops limits the wait for the end of launcher, which itself waits for the end of the program.
const launcherStops = 17 * time.Second

// controlAtSignIn is Control for the agent of a person.
func (u Setup) controlAtSignIn(action Action) error {
	state, err := stateAtSignIn()
	if err != nil {
		return fmt.Errorf("%s service: %w", action, err)
	}
	if action != Install && state == StateMissing {
		return fmt.Errorf("%s service: %w", action, ErrNotInstalled)
	}
	switch action {
	case Install:
		err = u.installAtSignIn(state)
	case Uninstall:
		err = errors.Join(stopLauncher(), withKey(runKey, func(k registry.Key) error { return k.DeleteValue(runName) }), setTurnedOff(true))
	case Start:
		err = startLauncher()
	case Stop:
		err = stopLauncher()
	case Restart:
		if err = stopLauncher(); err == nil {
			err = startLauncher()
		}
	default:
		err = fmt.Errorf("unknown action %q", action)
	}
	if err != nil {
		return fmt.Errorf("%s service: %w", action, err)
	}
	return nil
}

func (u Setup) installAtSignIn(state State) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program := filepath.Join(filepath.Dir(self), launcher)
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		return ErrNoUserService
	}
	if err := u.prepareFolder(); err != nil {
		return err
	}
	line, err := composeRunLine(program, u.Arguments)
	if err != nil {
		return err
	}
	if err := withKey(runKey, func(k registry.Key) error { return k.SetStringValue(runName, line) }); err != nil {
		return err
	}
	if err := setTurnedOff(false); err != nil {
		return err
	}
	if state != StateRunning {
		return nil
	}
	if err := stopLauncher(); err != nil {
		return err
	}
	return startLauncher()
}

func stateAtSignIn() (State, error) {
	line, err := runLine()
	switch {
	case err != nil:
		return "", err
	case line == "":
		return StateMissing, nil
	}
	mutex, err := openNamed(launcherMutex, windows.SYNCHRONIZE, windows.OpenMutex)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return StateStopped, nil
	case err != nil:
		return "", err
	}
	return StateRunning, windows.CloseHandle(mutex)
}

// runLine returns the command that Windows runs at sign-in; "" for none.
func runLine() (line string, err error) {
	err = withKey(runKey, func(k registry.Key) (err error) {
		line, _, err = k.GetStringValue(runName)
		if errors.Is(err, registry.ErrNotExist) {
			return nil
		}
		return err
	})
	return line, err
}

// composeRunLine returns the command for runName.
func composeRunLine(program string, arguments []string) (string, error) {
	line := windows.ComposeCommandLine(append([]string{program}, arguments...))
	if len(utf16.Encode([]rune(line))) > maxRunLine {
		return "", fmt.Errorf("%w: %s", ErrLongCommand, line)
	}
	return line, nil
}

// setTurnedOff does the same as the person in the settings of Windows: an odd first byte turns the start at
// the sign-in off, also after an update.
func setTurnedOff(off bool) error {
	return withKey(approvedKey, func(k registry.Key) error {
		if off {
			return k.SetBinaryValue(runName, append([]byte{3}, make([]byte, 11)...))
		}
		err := k.DeleteValue(runName)
		if errors.Is(err, registry.ErrNotExist) {
			return nil
		}
		return err
	})
}

func withKey(path string, do func(registry.Key) error) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, path, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("open the list of programs that start at sign-in: %w", err)
	}
	defer k.Close()
	return do(k)
}

func startLauncher() error {
	line, err := runLine()
	if err != nil {
		return err
	}
	words, err := windows.DecomposeCommandLine(line)
	if err != nil || len(words) == 0 {
		return fmt.Errorf("the command %q cannot be read: %w", line, err)
	}
	// The program has no window and no output; nothing waits for it.
	run := exec.Command(words[0], words[1:]...)
	run.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS}
	if err := run.Start(); err != nil {
		return err
	}
	return run.Process.Release()
}

// stopLauncher waits until the program has ended.
func stopLauncher() error {
	event, err := openNamed(launcherEvent, windows.EVENT_MODIFY_STATE, windows.OpenEvent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it does not run
	}
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(event) }()
	if err := windows.SetEvent(event); err != nil {
		return fmt.Errorf("stop %s: %w", launcher, err)
	}
	mutex, err := openNamed(launcherMutex, windows.SYNCHRONIZE, windows.OpenMutex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(mutex) }()
	// A thread owns the mutex after the wait, and the next launcher waits for its owner.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	got, err := windows.WaitForSingleObject(mutex, uint32(launcherStops.Milliseconds()))
	switch {
	case err != nil:
		return err
	case got == uint32(windows.WAIT_TIMEOUT):
		return errSlowStop
	}
	return windows.ReleaseMutex(mutex)
}

// openNamed opens an object of launcher. The error is fs.ErrNotExist if it does not run.
func openNamed(name string, access uint32, open func(uint32, bool, *uint16) (windows.Handle, error)) (windows.Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return open(access, false, text)
}
