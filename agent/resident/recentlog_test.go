package resident

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRecentLog(t *testing.T) {
	var l RecentLog
	if got := l.Lines(); len(got) > 0 {
		t.Errorf("got %q at the start, want none", got)
	}
	for i := range 10_000 {
		if _, err := fmt.Fprintf(&l, "line %d\nanother\n", i); err != nil {
			t.Fatal(err)
		}
	}
	got := l.Lines()
	if size := len(strings.Join(got, "")); size > maxRecentBytes || size < maxRecentBytes/2 || got[len(got)-2] != "line 9999" {
		t.Errorf("got %d bytes, then %q; want at most %d and the last line", size, got[len(got)-2], maxRecentBytes)
	}
	_, _ = l.Write([]byte(strings.Repeat("x", 3*maxRecentBytes)))
	if got := l.Lines(); len(got) > 1 {
		t.Errorf("got %d lines after a huge one, want at most 1", len(got))
	}
}

func TestReadLog(t *testing.T) {
	dir := t.TempDir()
	if got, err := ReadLog(dir); err != nil || got != nil {
		t.Errorf("without a file: got %q, %v, want none", got, err)
	}
	for content, want := range map[string]int{"a\nb\n": 2, "": 0, strings.Repeat("0123456\n", 20_000): maxRecentBytes/8 - 1} {
		if err := os.WriteFile(filepath.Join(dir, LogFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadLog(dir); err != nil || len(got) != want {
			t.Errorf("%d bytes: got %d lines, %v, want %d", len(content), len(got), err, want)
		}
	}
}

// TestReadLogAfterRotation expects lines of the previous file before those of a short new one.
func TestReadLogAfterRotation(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{LogFile: "new\n", LogFile + ".1": strings.Repeat("0123456\n", 20_000) + "old\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadLog(dir)
	size := len(strings.Join(got, "\n")) + 1
	if err != nil || len(got) < 2 || got[len(got)-2] != "old" || got[len(got)-1] != "new" || size > maxRecentBytes || size < maxRecentBytes-8 {
		t.Errorf("got %d lines of %d bytes, error %v; want at most %d bytes ending with old, new", len(got), size, err, maxRecentBytes)
	}
	if err := os.Remove(filepath.Join(dir, LogFile)); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadLog(dir); err != nil || len(got) == 0 || got[len(got)-1] != "old" {
		t.Errorf("without a new file: got %d lines, error %v; want those of the previous one", len(got), err)
	}
}
