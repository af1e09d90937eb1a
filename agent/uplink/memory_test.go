package uplink

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"sync"

	"github.com/tonprobe/tonprobe/agent/spool"
)

// memory is a disk without delay, so that a test with a fake clock can make
// thousands of writes.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
}

func newMemory() *memory { return &memory{files: map[string][]byte{}} }

func (m *memory) MkdirAll(string) error { return nil }

func (m *memory) ReadDir(dir string) (files []spool.File, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, b := range m.files {
		if path.Dir(name) == path.Clean(dir) {
			files = append(files, spool.File{Name: path.Base(name), Bytes: int64(len(b))})
		}
	}
	return files, nil
}

func (m *memory) ReadFile(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return b, nil
}

func (m *memory) WriteSync(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = slices.Clone(data)
	return nil
}

func (m *memory) AppendSync(name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = append(slices.Clone(m.files[name]), data...)
	return nil
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.files[from]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(m.files, from)
	m.files[to] = b
	return nil
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

func (m *memory) SyncDir(string) error { return nil }

// locks are the locks of one spool within a process.
type locks map[string]chan struct{}

func newLocks() locks {
	return locks{"files.lock": make(chan struct{}, 1), "sender.lock": make(chan struct{}, 1)}
}

func (l locks) Lock(ctx context.Context, name string) (func(), error) {
	select {
	case l[name] <- struct{}{}:
		return func() { <-l[name] }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
