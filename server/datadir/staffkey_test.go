package datadir

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStaffKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := Make(dir); err != nil {
		t.Fatal(err)
	}
	key, err := StaffKey(t.Context(), dir, 32, rand.Reader)
	if err != nil || len(key) != 32 || bytes.Equal(key, make([]byte, 32)) {
		t.Fatalf("got key of %d bytes, error %v; want 32 random ones", len(key), err)
	}
	again, err := StaffKey(t.Context(), dir, 32, rand.Reader)
	if err != nil || !bytes.Equal(again, key) {
		t.Errorf("got another key at the second start, error %v; want the same", err)
	}
	file := filepath.Join(TLS(dir), staffKeyFile)
	if err := os.WriteFile(file, []byte("no key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := StaffKey(t.Context(), dir, 32, rand.Reader); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("a damaged file: got error %v, want one that suggests to restore it from a backup", err)
	}
}
