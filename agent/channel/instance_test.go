package channel

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
)

func TestInstance(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	open := func(dir string) (string, func() error) {
		t.Helper()
		id, release, err := Instance(dir, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return id, release
	}
	service, stop := open(dir)
	program, quit := open(dir)
	if service != program || len(service) < 16 {
		t.Errorf("got %q and %q, want the same for two users of one folder", service, program)
	}
	// The first one ends, and another one starts while the second still runs.
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	again, stop := open(dir)
	if again != program {
		t.Errorf("got %q, want %q", again, program)
	}
	// A copy of the folder.
	b, err := os.ReadFile(filepath.Join(dir, InstanceFile))
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.WriteFile(filepath.Join(copied, InstanceFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if other, leave := open(copied); other == program {
		t.Error("got the same instance for a copy, want another one")
	} else {
		_ = leave()
	}
	_, _ = stop(), quit()
	if next, leave := open(dir); next == program {
		t.Error("got the same instance after a new start, want another one")
	} else {
		_ = leave()
	}
	if err := os.Mkdir(filepath.Join(copied, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(copied, "x", InstanceFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Instance(filepath.Join(copied, "x"), rand.Reader); err == nil {
		t.Error("got no error for a folder in place of the file, want one")
	}
}
