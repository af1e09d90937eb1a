package resident

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogIsLimited(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l, err := OpenLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.max = 1000
	line := strings.Repeat("x", 99) + "\n"
	for range 57 {
		if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("got %v, %v, want 2 files", files, err)
	}
	for name, want := range map[string]int{LogFile: 700, LogFile + ".1": 1000} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(b) != want {
			t.Errorf("%s: got %d bytes, %v, want %d", name, len(b), err, want)
		}
	}
	// A restarted service continues the file.
	again, err := OpenLog(dir)
	if err != nil || again.written != 700 {
		t.Errorf("got %+v, %v, want 700 bytes written", again, err)
	}
	_ = again.Close()
}

func TestLogThatCannotBeWrittenDoesNotFail(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l, err := OpenLog(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Write([]byte("x")); n != 1 || err != nil {
		t.Errorf("got %d, %v, want 1 and no error", n, err)
	}
}
