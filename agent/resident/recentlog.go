package resident

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxRecentBytes limits the lines that RecentLog keeps, and those that ReadLog returns.
const maxRecentBytes = 64 << 10

// RecentLog keeps the last lines of a log in memory, for the support file: the service's
// log may be in a journal that the person's account cannot read. The zero value is ready
// to use.
type RecentLog struct {
	mu    sync.Mutex
	lines []string
	bytes int
}

// Write implements io.Writer. Each call writes whole lines.
func (l *RecentLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(b) {
		line = bytes.TrimRight(line, "\r\n")
		kept := string(line[:min(len(line), maxRecentBytes)])
		l.lines, l.bytes = append(l.lines, kept), l.bytes+len(kept)
	}
	gone := 0
	for ; l.bytes > maxRecentBytes; gone++ {
		l.bytes -= len(l.lines[gone])
	}
	l.lines = append(l.lines[:0], l.lines[gone:]...)
	return len(b), nil
}

// Lines returns the kept lines, oldest first.
func (l *RecentLog) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.lines...)
}

// ReadLog returns the last lines of the log files in dir, oldest first; none without a file.
func ReadLog(dir string) ([]string, error) {
	path := filepath.Join(dir, LogFile)
	lines, left, err := lastLines(path, maxRecentBytes)
	if err != nil || left == 0 {
		return lines, err
	}
	previous, _, err := lastLines(path+".1", left)
	return append(previous, lines...), err
}

// lastLines returns the whole lines in the last most bytes of a file, and how many bytes the file
// is shorter than most; no lines without a file.
func lastLines(path string, most int64) (lines []string, left int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, most, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	from := max(0, info.Size()-most)
	b, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return nil, 0, err
	}
	if len(b) > 0 {
		lines = strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	}
	if from > 0 && len(lines) > 0 {
		lines = lines[1:] // begins in the middle
	}
	return lines, max(0, most-info.Size()), nil
}
