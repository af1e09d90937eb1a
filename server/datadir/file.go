package datadir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// lockWait limits the wait for another command that updates the same file.
const lockWait = 10 * time.Second

// ErrReadable means that other users of the machine have permission to read a file with secrets.
var ErrReadable = errors.New("other users of this machine may read a file with secrets")

// ErrBusy means that another command has locked the file for longer than an update takes.
var ErrBusy = errors.New("another command is changing this file: try again")

// ReadSecret reads a file that only its owner may read. A file that does not exist counts as empty.
// If others may read it, ReadSecret returns ErrReadable with the command that corrects it.
func ReadSecret(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(file), err)
	}
	return b, checkSecret(file)
}

// UpdateSecret replaces the content of a file that only its owner may read by the result of change.
// Readers see the old content or the new one, also after a crash. Concurrent updates of a file, also
// by other processes, are serialized.
func UpdateSecret(ctx context.Context, file string, change func(old []byte) ([]byte, error)) error {
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	err := Exclusive(waiting, file, func() error {
		old, err := ReadSecret(file)
		if err != nil {
			return err
		}
		b, err := change(old)
		if err != nil {
			return err
		}
		return replaceSecret(file, b)
	})
	if waiting.Err() != nil && errors.Is(err, waiting.Err()) {
		return fmt.Errorf("change %s: %w", filepath.Base(file), ErrBusy)
	}
	return err
}

// Exclusive runs f while nobody else who calls Exclusive with the same file does, in this process
// or another. The operating system releases the lock of a process that ends. The lock is on a file
// beside it, FILE.lock, which is never removed: whoever waits for a removed file does not exclude
// those who come later.
func Exclusive(ctx context.Context, file string, f func() error) (err error) {
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock %s: %w", filepath.Base(file), err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // releases the lock
	if err := GiveToOwner(lock.Name()); err != nil {
		return fmt.Errorf("lock %s: %w", filepath.Base(file), err)
	}
	if err := awaitLock(ctx, lock); err != nil {
		return fmt.Errorf("lock %s: %w", filepath.Base(file), err)
	}
	return f()
}

func awaitLock(ctx context.Context, lock *os.File) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		taken, err := tryLock(lock)
		if err != nil || taken {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// replaceSecret writes and syncs b under another name, then renames it.
func replaceSecret(file string, b []byte) (err error) {
	aside, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("store %s: %w", filepath.Base(file), err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(aside.Name())
		}
	}()
	_, err = aside.Write(b)
	if err = errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return fmt.Errorf("store %s: %w", filepath.Base(file), err)
	}
	if err := GiveToOwner(aside.Name()); err != nil {
		return fmt.Errorf("store %s: %w", filepath.Base(file), err)
	}
	if err := os.Rename(aside.Name(), file); err != nil {
		return fmt.Errorf("store %s: %w", filepath.Base(file), err)
	}
	return SyncFolder(filepath.Dir(file))
}
