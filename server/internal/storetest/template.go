package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Template is a file that takes long to create: it is created once per process, and each
// test gets a copy.
type Template struct {
	Create func(path string) error

	once    sync.Once
	content []byte
	err     error
}

// Copy writes a copy to path, which must not exist.
func (f *Template) Copy(t testing.TB, path string) {
	t.Helper()
	f.once.Do(func() {
		made := filepath.Join(t.TempDir(), "template")
		if f.err = f.Create(made); f.err == nil {
			f.content, f.err = os.ReadFile(made)
		}
	})
	if f.err != nil {
		t.Fatal(f.err)
	}
	if err := os.WriteFile(path, f.content, 0o600); err != nil {
		t.Fatal(err)
	}
}
