//go:build unix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLinksAreNotFollowed puts a link to a file of another user in place of a file.
func TestLinksAreNotFollowed(t *testing.T) {
	dir := t.TempDir()
	theirs := filepath.Join(dir, "theirs")
	if err := os.WriteFile(theirs, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{theirs, filepath.Join(dir, "missing")} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []int{os.O_WRONLY | os.O_CREATE | os.O_TRUNC, os.O_RDWR | os.O_CREATE, os.O_WRONLY | os.O_CREATE | os.O_APPEND} {
			if f, err := OpenFile(path, flag); !errors.Is(err, syscall.ELOOP) {
				t.Errorf("%s, flag %#x: got %v, error %v; want %v", target, flag, f, err, syscall.ELOOP)
			}
		}
		if _, err := Lock(path); !errors.Is(err, syscall.ELOOP) {
			t.Errorf("%s: lock: got error %v, want %v", target, err, syscall.ELOOP)
		}
	}
	if b, err := os.ReadFile(theirs); err != nil || string(b) != "kept" {
		t.Errorf("got %q, error %v; want the file unchanged", b, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the target of the link was created: %v", err)
	}
}
