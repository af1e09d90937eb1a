package rounds

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// inOwnMounts is an environment variable of the program started by
// inMountNamespace.
const inOwnMounts = "TONPROBE_LOAD_OWN_MOUNTS"

// inMountNamespace runs this program again, with its arguments, in a mount
// namespace of its own. An unprivileged user becomes root in a user namespace
// (user_namespaces(7)), which some systems forbid.
func inMountNamespace() (again bool, err error) {
	if os.Getenv(inOwnMounts) != "" {
		return false, nil
	}
	self, err := os.Executable()
	if err != nil {
		return true, fmt.Errorf("find this program: %w", err)
	}
	c := exec.Command(self, os.Args[1:]...)
	c.Env = append(os.Environ(), inOwnMounts+"=1")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid := os.Getuid(); uid != 0 {
		c.SysProcAttr.Unshareflags = 0
		c.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err = c.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() == 1 {
		return true, ErrBroken // it has printed the reason
	}
	if err != nil {
		return true, fmt.Errorf("run in a separate mount namespace, which needs root or user namespaces: %w", err)
	}
	return true, nil
}

// smallDisk is a small file system in memory.
type smallDisk struct{ dir string }

func mountSmall(dir, size string) (smallDisk, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return smallDisk{}, err
	}
	if err := unix.Mount("tonprobe-load", dir, "tmpfs", 0, "mode=700,size="+size); err != nil {
		return smallDisk{}, fmt.Errorf("mount a small disk: %w", err)
	}
	return smallDisk{dir}, nil
}

func (d smallDisk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill writes a file that leaves no free space.
func (d smallDisk) fill() error {
	f, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// empty frees the space again.
func (d smallDisk) empty() error { return os.Remove(d.ballast()) }

// setReadOnly changes the mount as the kernel does after an I/O error.
func (d smallDisk) setReadOnly(v bool) error {
	flags := uintptr(unix.MS_REMOUNT)
	if v {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("", d.dir, "", flags, ""); err != nil {
		return fmt.Errorf("mount again: %w", err)
	}
	return nil
}

func (d smallDisk) unmount() error {
	if err := unix.Unmount(d.dir, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount: %w", err)
	}
	return nil
}
