package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// LogFolder is the name of the log's folder in the data folder.
const LogFolder = "log"

// LogFile is the name of the service's log. The previous one has the suffix ".1".
const LogFile = "tonprobe.log"

// maxLogBytes limits each of the two files. One holds about a month of normal operation.
const maxLogBytes = 1 << 20

// Log is a log file with a limited size. It never makes the service fail: lines that
// cannot be written are lost.
type Log struct {
	dir string
	max int64

	mu      sync.Mutex
	file    *os.File
	written int64
}

// OpenLog opens or continues the log in dir.
func OpenLog(dir string) (*Log, error) {
	if err := durable.MkdirPrivate(dir); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	l := &Log{dir: dir, max: maxLogBytes}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return l, nil
}

func (l *Log) path() string { return filepath.Join(l.dir, LogFile) }

func (l *Log) open() error {
	f, err := os.OpenFile(l.path(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.written = f, info.Size()
	return nil
}

// Write implements io.Writer. It always reports success, because a logger has nowhere to
// report a failure to.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written+int64(len(b)) > l.max {
		l.rotate()
	}
	if l.file == nil && l.open() != nil {
		return len(b), nil
	}
	n, _ := l.file.Write(b)
	l.written += int64(n)
	return len(b), nil
}

// rotate closes the file first: Windows does not rename an open file. If it cannot be
// renamed, it is emptied, so that the limit holds.
func (l *Log) rotate() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
	if err := durable.Rename(l.path(), l.path()+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = os.Truncate(l.path(), 0)
	}
	l.written = 0
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
