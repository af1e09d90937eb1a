package durable

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// retryDelays are the delays between attempts, more than a second in total. Virus
// scanners, indexers and backups open each new file for a short time.
var retryDelays = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 80 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond,
}

// retryHeld repeats do while it fails because another program has the file open:
// Windows then refuses to replace or remove it, unlike Unix.
func retryHeld(do func() error) error {
	err := do()
	for _, wait := range retryDelays {
		if !isHeld(err) {
			break
		}
		time.Sleep(wait)
		err = do()
	}
	return err
}

// isHeld reports whether err is caused by an open file: replacing one yields
// "access denied", removing one a sharing violation.
func isHeld(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION) ||
		errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_USER_MAPPED_FILE)
}
