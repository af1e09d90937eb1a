// Package datadir manages the directory in which a collector stores its data: its layout, its
// access rights, and its lock.
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
	// ErrRunning means that another collector uses the directory.
	ErrRunning = errors.New("another collector is running with this data directory: stop it, or give this one a directory of its own with --data")
	// ErrOpen means that other users of the machine may write to the directory.
	ErrOpen = errors.New("other users of this machine may write to the data directory")
	// ErrNoDatabase means that the directory contains the keys of a collector, but no database.
	// With a new, empty database, all participants would appear to have been deleted.
	ErrNoDatabase = errors.New("the database is missing or empty, but the keys of a collector are here")
)

// Database returns the path of the SQLite database in a data directory.
func Database(dir string) string { return filepath.Join(dir, "collector.db") }

// TLS returns the path of the folder with the collector's own certificates and keys.
func TLS(dir string) string { return filepath.Join(dir, "tls") }

// Targets returns the path of the file with the conference systems and their secrets.
func Targets(dir string) string { return filepath.Join(dir, "targets.json") }

// Release returns the path of the signed announcement of a new version of the agent, which an
// administrator puts there.
func Release(dir string) string { return filepath.Join(dir, "release.txt") }

// Downloads returns the folder with the installers for participants. An administrator creates it.
func Downloads(dir string) string { return filepath.Join(dir, "downloads") }

// Erased returns the path of the list of tombstones (package privacy).
func Erased(dir string) string { return filepath.Join(dir, "erased.txt") }

// Make creates the directory with access for its owner only. If it exists, Make checks its access
// rights; an ErrOpen contains the command that corrects them.
func Make(dir string) error {
	_, before := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create data directory: %w", err)
	}
	if errors.Is(before, fs.ErrNotExist) {
		return restrict(dir)
	}
	return checkRights(dir)
}

// Check returns ErrNoDatabase, with what to do, if the directory contains keys and no database.
func Check(dir string) error {
	info, err := os.Stat(Database(dir))
	switch {
	case err == nil && info.Size() > 0:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for the database: %w", err)
	}
	// Every collector has a key here, also one behind a proxy or with a given certificate.
	keys, err := os.ReadDir(TLS(dir))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(keys) == 0 {
		return nil // a new collector
	}
	if err != nil {
		return fmt.Errorf("look for keys: %w", err)
	}
	return fmt.Errorf("%w (%s): restore the data with 'tonprobe-collector restore FILE', or, to start over, move %s away first; every computer then has to be enrolled again",
		ErrNoDatabase, Database(dir), TLS(dir))
}

// Hold locks the directory until the closer is closed or the process ends, also by a crash. It
// returns ErrRunning at once if another process holds the lock.
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
