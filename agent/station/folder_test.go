package station

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMayOwn(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !MayOwn(dir) || !MayOwn(filepath.Join(dir, "missing")) {
		t.Error("an empty or missing folder is refused")
	}
	write("letter.txt")
	if MayOwn(dir) || MayOwn("/") || MayOwn(filepath.Join(dir, "letter.txt")) {
		t.Error("a folder with other files is accepted")
	}
	write("identity.json")
	if !MayOwn(dir) {
		t.Error("a folder in use is refused")
	}
}
