package durable

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// hold opens a file as a virus scanner does, without allowing others to replace or
// remove it.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ, nil, windows.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = windows.CloseHandle(h) }
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLockedFilesAreRetried(t *testing.T) {
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, "old"), filepath.Join(dir, "fresh")
	write(t, fresh, "new")
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"replaced", func() error { return os.Rename(fresh, old) }},
		{"removed", func() error { return os.Remove(old) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, old, "old")
			release := hold(t, old)
			tries := 0
			err := retryHeld(func() error {
				if tries++; tries == 3 {
					release()
				}
				return c.do()
			})
			if err != nil || tries != 3 {
				t.Errorf("got error %v after %d attempts; want 3", err, tries)
			}
		})
	}
}

// A file that stays open is an error in the end, and keeps its old content.
func TestPermanentlyLockedFile(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	write(t, old, "old")
	defer hold(t, old)()
	start := time.Now()
	if err := WriteFile(old, []byte("new")); !isHeld(err) || time.Since(start) < 500*time.Millisecond {
		t.Errorf("got error %v after %v, want a held file after at least 500ms", err, time.Since(start))
	}
	if b, err := os.ReadFile(old); err != nil || string(b) != "old" {
		t.Errorf("got content %q, error %v; want %q", b, err, "old")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("got files %v, error %v; want 1 entry", left, err)
	}
}
