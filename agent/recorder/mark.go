package recorder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// mark is a file that exists while the recorder runs, and contains when it started. If a
// previous run left one, the recorder was killed, or the computer stopped unexpectedly.
type mark struct{ path string }

// maxMarkBytes is the length of the longest time in RFC 3339 with nanoseconds.
const maxMarkBytes = int64(len(time.RFC3339Nano))

// openMark creates the mark. stopped is false if the previous run left one, and began is
// then the start of that run; it is zero if the mark does not contain it.
func openMark(data string, now time.Time) (m mark, began time.Time, stopped bool, err error) {
	m = mark{filepath.Join(data, Folder, "running")}
	_, err = os.Lstat(m.path)
	stopped = errors.Is(err, fs.ErrNotExist)
	f, err := durable.OpenFile(m.path, os.O_RDWR|os.O_CREATE)
	if err == nil {
		began = readMark(f)
		err = errors.Join(writeMark(f, now), f.Close())
	}
	if err != nil {
		err = fmt.Errorf("mark the recorder as running: %w", err)
	}
	return m, began, stopped, err
}

func readMark(f *os.File) time.Time {
	b, err := io.ReadAll(io.LimitReader(f, maxMarkBytes))
	if err != nil {
		return time.Time{}
	}
	began, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return time.Time{}
	}
	return began
}

func writeMark(f *os.File, now time.Time) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(now.UTC().Format(time.RFC3339Nano)), 0)
	return err
}

func (m mark) remove() error {
	if err := os.Remove(m.path); err != nil {
		return fmt.Errorf("mark the recorder as stopped: %w", err)
	}
	return nil
}
