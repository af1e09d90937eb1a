package server

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrRunning says that another collector serves from the same directory.
var ErrRunning = errors.New("another collector is running with this data directory: stop it, or give this one a directory of its own with --data")

// lockFile is held for as long as a collector serves. The system lets go of it
// when the process ends, however it ends; the file itself stays.
const lockFile = "serve.lock"

// holdAlone locks a file without waiting.
func holdAlone(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	taken, err := tryLock(f)
	if err == nil && taken {
		return f, nil
	}
	_ = f.Close()
	if err == nil {
		return nil, ErrRunning
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
