//go:build unix

package channel

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockAlone reports whether no other process has a lock, and then locks f exclusively.
func lockAlone(f *os.File) (bool, error) {
	err := flock(f, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// lockShared locks f together with others; an exclusive lock is released.
func lockShared(f *os.File) error { return flock(f, unix.LOCK_SH) }

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
