// Package durable writes files so that a crash or a full disk leaves either the
// old content or the new, never half of it.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// TempPattern is the name of files being written, as os.CreateTemp takes it.
const TempPattern = ".tmp-*"

// WriteFile replaces path with data: temporary name, fsync, rename, fsync of
// the folder. The file gets mode 0600.
func WriteFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), TempPattern) // mode 0600
	if err != nil {
		// The temporary name means nothing to whoever reads the error.
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
		}
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, Remove(f.Name())))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = Rename(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Rename replaces to with from. Where another program holds the file for a
// moment, it is tried again for about a second.
func Rename(from, to string) error {
	return retryHeld(func() error { return os.Rename(from, to) })
}

// Remove removes a file, as patiently as Rename.
func Remove(name string) error {
	return retryHeld(func() error { return os.Remove(name) })
}

// SyncDir makes renames and removals in dir durable. Windows has no such call;
// NTFS journals them by itself.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// MkdirPrivate makes dir and its parents. A dir that it makes is for its owner and the
// administrators alone, with all that is put into it; one that exists keeps its rights.
func MkdirPrivate(dir string) error {
	_, before := os.Stat(dir)
	err := os.MkdirAll(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is a file, want a folder: %w", dir, err)
	}
	if err == nil && errors.Is(before, fs.ErrNotExist) {
		err = restrict(dir)
	}
	return err
}
