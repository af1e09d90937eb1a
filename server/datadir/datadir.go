// Package datadir describes the directory in which a collector keeps its data:
// which files are there, who may read them, and who holds it.
package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// ErrRunning says that another collector serves from the same directory.
	ErrRunning = errors.New("another collector is running with this data directory: stop it, or give this one a directory of its own with --data")
	// ErrOpen says that other users of the machine may change the directory.
	ErrOpen = errors.New("other users of this machine may write to the data directory")
	// ErrNoDatabase says that the directory holds keys of a collector, but not its
	// database. A new database beside them would look like a collector whose
	// participants have all vanished.
	ErrNoDatabase = errors.New("the database is missing or empty, but the keys of a collector are here")
)

// Database is the database of the collector with this data directory.
func Database(dir string) string { return filepath.Join(dir, "collector.db") }

// TLS is the folder of the certificates and keys that the collector made itself.
func TLS(dir string) string { return filepath.Join(dir, "tls") }

// Targets is the file of the conference systems and their secrets.
func Targets(dir string) string { return filepath.Join(dir, "targets.json") }

// Make makes the directory, readable by its owner only, and checks one that
// exists already. It returns ErrOpen with what to do about it.
func Make(dir string) error {
	_, before := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if errors.Is(before, fs.ErrNotExist) {
		return restrict(dir)
	}
	return checkRights(dir)
}

// Check returns ErrNoDatabase, with what to do, where the keys of a collector
// are left without their database.
func Check(dir string) error {
	info, err := os.Stat(Database(dir))
	switch {
	case err == nil && info.Size() > 0:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for the database: %w", err)
	}
	if _, err := os.Stat(filepath.Join(TLS(dir), "ca.key")); err != nil {
		return nil // a new collector
	}
	return fmt.Errorf("%w (%s): bring the data back with 'tonprobe-collector restore FILE', or, to begin anew, move %s away first; every computer then has to be enrolled again",
		ErrNoDatabase, Database(dir), TLS(dir))
}

// Hold locks the directory until the closer is closed or the process ends,
// however it ends. It does not wait: ErrRunning says that it is held.
func Hold(dir string) (io.Closer, error) {
	f, err := openLock(dir)
	if err != nil {
		return nil, fmt.Errorf("open the lock of %s: %w", dir, err)
	}
	taken, err := tryLock(f)
	if err == nil && taken {
		return f, nil
	}
	_ = f.Close()
	if err == nil {
		return nil, fmt.Errorf("use %s: %w", dir, ErrRunning)
	}
	return nil, fmt.Errorf("lock %s: %w", dir, err)
}
