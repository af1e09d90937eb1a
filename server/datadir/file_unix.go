//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkSecret rejects a file that others may read.
func checkSecret(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("read the mode of %s: %w", filepath.Base(file), err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has the mode %04o: run 'chmod 600 %s'", ErrReadable, file, mode, file)
	}
	return nil
}

// GiveToOwner gives a new file, or a directory with its content, to the owner of the directory that
// contains it. It does so only for root: administrators run commands as root on the directory of a
// collector that has a user of its own. systemd does not correct that: with DynamicUser= it changes
// the owner of what is in a StateDirectory= only if the directory itself has the wrong one.
func GiveToOwner(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("find the owner of the data directory: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	err = filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(owner.Uid), int(owner.Gid))
	})
	if err != nil {
		return fmt.Errorf("give %s to the owner of the data directory: %w", filepath.Base(path), err)
	}
	return nil
}

// SyncFolder syncs the entries of a directory, which fsync of a file does not (fsync(2), notes).
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
