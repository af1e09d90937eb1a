//go:build unix

package channel

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestInstanceIsNotWrittenThroughALink(t *testing.T) {
	dir, theirs := t.TempDir(), filepath.Join(t.TempDir(), "theirs")
	err := errors.Join(os.WriteFile(theirs, []byte("kept"), 0o600), os.Symlink(theirs, filepath.Join(dir, InstanceFile)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Instance(dir, rand.Reader); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("got %v, want %v", err, syscall.ELOOP)
	}
	if b, err := os.ReadFile(theirs); err != nil || string(b) != "kept" {
		t.Errorf("got %q, %v, want the file as it was", b, err)
	}
}
