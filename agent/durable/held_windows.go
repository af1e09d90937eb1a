package durable

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// patience is how long a file that somebody holds is tried again, over a second
// in all: virus scanners, indexers and backups hold every new file for a
// moment.
var patience = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 80 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond,
}

// retryHeld repeats what fails because somebody holds the file: Windows refuses
// to replace or remove an open one, unlike Unix.
func retryHeld(do func() error) error {
	err := do()
	for _, wait := range patience {
		if !isHeld(err) {
			break
		}
		time.Sleep(wait)
		err = do()
	}
	return err
}

// isHeld: replacing an open file gives "access denied", removing one a sharing
// violation.
func isHeld(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION) ||
		errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_USER_MAPPED_FILE)
}
