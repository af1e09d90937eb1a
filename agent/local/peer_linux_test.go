package local

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestWhoIsAPerson(t *testing.T) {
	users := t.TempDir()
	for uid, state := range map[int]string{1000: "active", 1001: "online", 1002: "lingering", 1003: "offline", 500000: "active", 33: "active", 65534: "active"} {
		text := "# This is private data. Do not parse.\nNAME=x\nSTATE=" + state + "\nSTOPPING=no\n"
		if err := os.WriteFile(filepath.Join(users, strconv.Itoa(uid)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for uid, want := range map[uint32]bool{1000: true, 1001: true, 1002: false, 1003: false, 1004: false, 500000: true, 33: false, 65534: false} {
		if got := isPersonIn(users, uid); got != want {
			t.Errorf("%d: got %v, want %v", uid, got, want)
		}
	}
	// Without systemd-logind.
	none := filepath.Join(users, "missing")
	for uid, want := range map[uint32]bool{1000: true, 999: false, 61184: false, 65534: false, 70000: true} {
		if got := isPersonIn(none, uid); got != want {
			t.Errorf("%d without logind: got %v, want %v", uid, got, want)
		}
	}
}
