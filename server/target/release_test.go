package target

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestRelease: the announcement is passed on unchanged; an invalid file does not prevent
// the targets from being sent.
func TestRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "release.txt")
	var log bytes.Buffer
	d := Provider{File: In(t.TempDir()), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(&log, nil)), Release: path}
	got := func() string {
		t.Helper()
		all, err := d.Targets(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return all.Release
	}
	if r := got(); r != "" || log.Len() > 0 {
		t.Errorf("without a file: got %q, log %q, want neither", r, log.String())
	}
	for content, want := range map[string]string{
		"tonprobe-release-v1 AAAA\n{}":              "tonprobe-release-v1 AAAA\n{}",
		strings.Repeat("x", wire.MaxReleaseBytes):   strings.Repeat("x", wire.MaxReleaseBytes),
		strings.Repeat("x", wire.MaxReleaseBytes+1): "",
		"\xff\xfe": "",
		"":         "",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		if r := got(); r != want || (r != content) != (log.Len() > 0) {
			t.Errorf("%.40q: got %.40q, log %q, want %.40q", content, r, log.String(), want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if r := got(); r != "" || log.Len() == 0 {
		t.Errorf("a folder: got %q, log %q, want a warning", r, log.String())
	}
}
