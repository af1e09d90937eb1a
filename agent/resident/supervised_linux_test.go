package resident

import (
	"os"
	"path/filepath"
	"testing"
)

// TestIsSystemd: the manager of a person has the same name as that of the system, but another number.
func TestIsSystemd(t *testing.T) {
	proc := t.TempDir()
	for pid, name := range map[string]string{"1": "systemd", "812": "systemd", "900": "bash", "901": "systemd-run"} {
		if err := os.Mkdir(filepath.Join(proc, pid), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "comm"), []byte(name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pid, want := range map[int]bool{1: true, 812: true, 900: false, 901: false, 4711: false} {
		if got := isSystemd(proc, pid); got != want {
			t.Errorf("%d: got %t, want %t", pid, got, want)
		}
	}
}
