//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// TestRootCreatesNothingForItself: an administrator adds the first participant as root, before the
// collector of another user has run for the first time.
func TestRootCreatesNothingForItself(t *testing.T) {
	need.Root(t, "changing an owner")
	dir := t.TempDir()
	const uid = 65533
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	term := terminal{in: new(bytes.Buffer), out: &out, err: &errs, getenv: func(string) string { return "" }}
	for _, args := range [][]string{
		{"participant", "add", "Anna", "--data", dir},
		{"target", "add", "bbb", "--system", "bbb", "--url", "https://bbb.example.org", "--data", dir},
		{"participant", "add", "Berta", "--data", dir},
	} {
		if status := run(t.Context(), term, args); status != exitOK {
			t.Fatalf("%q: got status %d, want %d: %s", args, status, exitOK, errs.String())
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, error %v; want some", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != uid {
			t.Errorf("%s: got owner %d, want %d", filepath.Join(dir, f.Name()), got, uid)
		}
	}
}
