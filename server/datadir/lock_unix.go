//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openLock opens the directory itself. A lock file in it could be deleted, and a second collector
// would then get a lock on a new file.
func openLock(dir string) (*os.File, error) { return os.Open(dir) }

// tryLock locks f without waiting. It returns false if another process holds the lock.
func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// restrict does nothing: the mode set by os.MkdirAll is sufficient.
func restrict(string) error { return nil }

// checkRights rejects a directory that others may write to: they could rename files in it, and so
// replace the keys and the database.
func checkRights(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("check the data directory: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%w: %s has the mode %04o: run 'chmod 700 %s'", ErrOpen, dir, mode, dir)
	}
	return nil
}

// FreeBytes returns the disk space in bytes that is available to an unprivileged process in dir.
func FreeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("query the free space of %s: %w", dir, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
