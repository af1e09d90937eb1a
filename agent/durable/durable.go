// Package durable writes files so that after a crash or on a full disk they have
// either the old or the new content, never a part of it.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// TempPattern is the pattern of temporary file names, in the form of os.CreateTemp.
const TempPattern = ".tmp-*"

// WriteFile replaces path with data: temporary name, fsync, rename, fsync of
// the folder. The file gets mode 0600.
func WriteFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), TempPattern) // mode 0600
	if err != nil {
		// The temporary name would mean nothing to the person.
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

// CreateFile is WriteFile for a file that must not exist yet: the error is fs.ErrExist if it
// does.
func CreateFile(path string, data []byte) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := os.CreateTemp(filepath.Dir(path), TempPattern) // mode 0600
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, Remove(f.Name())) }()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	// Unlike a rename, a link does not replace a file that appeared in the meantime.
	err = os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return WriteFile(path, data) // a file system without links
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// OpenFile is os.OpenFile with mode 0600, but fails if path is a symbolic link. A program of
// the administrator may work in the folder of an account without rights, which could
// otherwise make it write to any file.
func OpenFile(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag|noFollow, 0o600)
}

// Lock creates the file path if it is missing and waits until it holds a lock on it. It does
// not write to the file. The operating system releases the lock when the process exits in any way.
func Lock(path string) (unlock func(), err error) {
	f, err := lockedfile.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// Rename replaces to with from. If another program has the file open, it retries
// for about a second.
func Rename(from, to string) error {
	return retryHeld(func() error { return os.Rename(from, to) })
}

// Remove removes a file, with the retries of Rename.
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

// MkdirPrivate creates dir and its parents. Only its owner and administrators have
// access to a new dir and its content. The access rights of an existing dir are not
// changed.
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
