package procfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("cpu 1 2 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]string{3: "cpu", 10: "cpu 1 2 3\n", 4096: "cpu 1 2 3\n"} {
		if got, err := Read(path, limit); err != nil || got != want {
			t.Errorf("limit %d: got %q, %v; want %q", limit, got, err, want)
		}
	}
	if got, err := Read(path+"x", 8); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %q, %v; want fs.ErrNotExist", got, err)
	}
	if got, err := Read(filepath.Dir(path), 8); err == nil {
		t.Errorf("a folder: got %q, want an error", got)
	}
}
