package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestCreateFile: an existing file, and one behind a link, is never replaced.
func TestCreateFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.zip")
	if err := CreateFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := CreateFile(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: got error %v, want fs.ErrExist", err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err == nil {
		if err := CreateFile(filepath.Join(dir, "link"), []byte("x")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a link: got %v, want fs.ErrExist", err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "first" {
		t.Errorf("got %q, %v, want the first content", b, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, TempPattern)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := CreateFile(filepath.Join(dir, "missing", "a.zip"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing folder: got %v, want fs.ErrNotExist", err)
	}
}
