package main

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportOfTheService: a person exports what the service has, and the file contains none
// of the machine's names and secrets.
func TestExportOfTheService(t *testing.T) {
	m, _ := newServedMachine(t)
	anna := m.user("anna")
	anna.run("enroll", "K7P3QX9A", "--server", m.collectorURL)
	// The exit status depends on what this machine recorded.
	_ = anna.command("check", "--no-audio", "--only", "host", "--yes", "--plain").Run()
	to := filepath.Join(t.TempDir(), "support.zip")
	said := anna.run("report", "export", "--yes", "--output", to)
	all := zipped(t, to)
	for _, want := range []string{"README.txt", "LIESMICH.txt", "events.json", "events.txt", "settings.json", "log.txt", "version.json"} {
		if all[want] == "" || !strings.Contains(said, want) {
			t.Errorf("%s is missing in the file or in the output: %s", want, said)
		}
	}
	reports := 0
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	private := []string{"secret-token", "Anna", "Beispiel", "K7P3QX9A", strings.TrimPrefix(m.collectorURL, "http://"), m.dir, m.socket, "/tmp", host}
	for name, body := range all {
		if strings.HasPrefix(name, "reports/") {
			reports++
		}
		for _, p := range private {
			if strings.Contains(body, p) || strings.Contains(name, p) {
				t.Errorf("%s contains %q: %s", name, p, body)
			}
		}
	}
	if reports != 1 || !strings.Contains(all["settings.json"], `"enrolled": true`) || !strings.Contains(all["settings.json"], `"service_answers": true`) {
		t.Errorf("got %d reports, want 1; settings %s", reports, all["settings.json"])
	}
	before, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	out, err := anna.command("report", "export", "--yes", "--output", to).CombinedOutput()
	if after, _ := os.ReadFile(to); err == nil || !strings.Contains(string(out), "already exists") || string(after) != string(before) {
		t.Errorf("a second export: got %s, error %v; want %q and the file unchanged", out, err, "already exists")
	}
}

// zipped returns the files of an archive by name.
func zipped(t *testing.T, path string) map[string]string {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	all := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(b)
	}
	return all
}
