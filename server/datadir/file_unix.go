//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// checkSecret refuses a file that others may read.
func checkSecret(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("look at %s: %w", filepath.Base(file), err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has the mode %04o: run 'chmod 600 %s'", ErrReadable, file, mode, file)
	}
	return nil
}

// giveToOwner gives a new file to the owner of its folder: an administrator runs the
// command, and the collector, which runs as a user of its own, reads the file.
func giveToOwner(file string) error {
	info, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	return os.Chown(file, int(owner.Uid), int(owner.Gid))
}

// SyncFolder puts the names in a folder on the disk: fsync of a file does not
// (fsync(2), notes).
func SyncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync %s: %w", folder, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", folder, err)
	}
	return nil
}
