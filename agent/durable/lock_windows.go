package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByte is the offset of a byte beyond the content: on Windows, a lock prevents others from
// reading the locked bytes.
const lockedByte = 1 << 20

// LockAlone locks f exclusively if no other process holds a lock, and reports whether it did.
func LockAlone(f *os.File) (bool, error) {
	err := lock(f, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

// LockShared takes a shared lock on f, which replaces an exclusive one.
func LockShared(f *os.File) error {
	at := windows.Overlapped{Offset: lockedByte}
	if err := windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &at); err != nil && !errors.Is(err, windows.ERROR_NOT_LOCKED) {
		return err
	}
	return lock(f, 0)
}

func lock(f *os.File, flags uint32) error {
	at := windows.Overlapped{Offset: lockedByte}
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &at)
}
