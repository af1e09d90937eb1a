package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// mark is an empty file that exists while the recorder runs. If a previous run left one,
// the recorder was killed, or the computer stopped unexpectedly.
type mark struct{ path string }

// openMark creates the mark. stopped is false if the previous run left one.
func openMark(data string) (m mark, stopped bool, err error) {
	m = mark{filepath.Join(data, Folder, "running")}
	_, err = os.Lstat(m.path)
	stopped = errors.Is(err, fs.ErrNotExist)
	f, err := durable.OpenFile(m.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return m, stopped, fmt.Errorf("mark the recorder as running: %w", err)
	}
	return m, stopped, nil
}

func (m mark) remove() error {
	if err := os.Remove(m.path); err != nil {
		return fmt.Errorf("mark the recorder as stopped: %w", err)
	}
	return nil
}
