package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/web"
)

// TestDownloads checks that only installers in the folder itself are offered and sent.
func TestDownloads(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "downloads")
	r := newRig(t, func(c *web.Config) { c.Downloads = dir })
	if page := r.get("/setup"); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "Telefon-Hilfe, wie Sie das Programm bekommen") {
		t.Fatalf("without a folder: status %d\n%s", page.Code, page.Body.String())
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"downloads/tonprobe_1.2.msi": "the installer", "downloads/Für Grüße.deb": "deb", "downloads/notes.txt": "internal", "secret.msi": "secret",
	} {
		if err := os.WriteFile(filepath.Join(parent, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.msi"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret.msi", filepath.Join(dir, "link.msi")); err != nil {
		t.Fatal(err)
	}
	body := r.get("/setup").Body.String()
	for want, present := range map[string]bool{
		"tonprobe_1.2.msi": true, "/download/F%C3%BCr%20Gr%C3%BC%C3%9Fe.deb": true, "notes.txt": false, "folder.msi": false, "link.msi": false,
	} {
		if strings.Contains(body, want) != present {
			t.Errorf("the page contains %q: %v, want %v\n%s", want, !present, present, body)
		}
	}
	for path, want := range map[string]int{
		"/download/tonprobe_1.2.msi": http.StatusOK, "/download/F%C3%BCr%20Gr%C3%BC%C3%9Fe.deb": http.StatusOK,
		"/download/notes.txt": http.StatusNotFound, "/download/folder.msi": http.StatusNotFound, "/download/link.msi": http.StatusNotFound,
		"/download/..%2Fsecret.msi": http.StatusNotFound, "/download/%2Fetc%2Fx.msi": http.StatusNotFound, "/download/none.msi": http.StatusNotFound,
	} {
		if got := r.get(path); got.Code != want {
			t.Errorf("GET %s: status %d, want %d", path, got.Code, want)
		}
	}
	got := r.get("/download/tonprobe_1.2.msi")
	if d := got.Header().Get("Content-Disposition"); got.Body.String() != "the installer" || !strings.HasPrefix(d, "attachment") {
		t.Errorf("got %q with disposition %q; want the installer as an attachment", got.Body.String(), d)
	}
}

// TestDownloadsOfARelease places all files of a release into the folder: people find the easiest first,
// and no collector.
func TestDownloadsOfARelease(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"checksums_linux.txt", "tonprobe-1.0.0.msi", "tonprobe-1.0.0.pkg", "tonprobe-collector_1.0.0_amd64.deb", "tonprobe-collector_1.0.0_linux_amd64_image.tar",
		"tonprobe-collector_1.0.0_windows_arm64.zip", "tonprobe-user-1.0.0.msi", "tonprobe_1.0.0_amd64.deb", "tonprobe_1.0.0_amd64.rpm",
		"tonprobe_1.0.0_arm64.deb", "tonprobe_1.0.0_linux_amd64.tar.gz", "tonprobe_1.0.0_windows_amd64.zip",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := newRig(t, func(c *web.Config) { c.Downloads = dir })
	var got []string
	for _, m := range regexp.MustCompile(`href="/download/([^"]*)"`).FindAllStringSubmatch(r.get("/setup").Body.String(), -1) {
		got = append(got, m[1])
	}
	want := []string{
		"tonprobe_1.0.0_amd64.deb", "tonprobe_1.0.0_amd64.rpm", "tonprobe_1.0.0_arm64.deb", "tonprobe_1.0.0_linux_amd64.tar.gz", "tonprobe-1.0.0.pkg",
		"tonprobe-user-1.0.0.msi", "tonprobe-1.0.0.msi", "tonprobe_1.0.0_windows_amd64.zip",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page offers %q, want %q", got, want)
	}
	if got := r.get("/download/tonprobe-collector_1.0.0_amd64.deb"); got.Code != http.StatusNotFound {
		t.Errorf("the collector is sent, status %d", got.Code)
	}
}
