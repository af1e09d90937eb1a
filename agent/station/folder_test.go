package station

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestMayOwn(t *testing.T) {
	for _, c := range []struct {
		name, entries string // a folder ends with a slash
		want          bool
	}{
		{name: "empty", want: true},
		{name: "of a service", entries: "identity.json identity.lock token.lock service.lock targets.json schedule.json instance invitation.json invitation.lock spool/ recorder/ log/ allow-network-retest .tmp-123", want: true},
		{name: "with a configuration only", entries: "tonprobe.toml", want: true},
		{name: "without its identity", entries: "targets.json spool/ recorder/", want: true},
		{name: "of another program", entries: "letter.txt"},
		{name: "/var", entries: "lib/ log/ spool/ tmp/"},
		{name: "of a printer", entries: "spool/"},
		{name: "with common names only", entries: "spool/ log/ instance"},
		{name: "of a person, with a configuration", entries: ".bashrc Documents/ tonprobe.toml"},
		{name: "with an identity and a letter", entries: "identity.json spool/ letter.txt"},
		{name: "with a folder in place of a file", entries: "identity.json/"},
		{name: "with a file in place of a folder", entries: "identity.json spool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range strings.Fields(c.entries) {
				path := filepath.Join(dir, name)
				create := func() error { return os.WriteFile(path, nil, 0o600) }
				if strings.HasSuffix(name, "/") {
					create = func() error { return os.Mkdir(path, 0o700) }
				}
				if err := create(); err != nil {
					t.Fatal(err)
				}
			}
			if got := MayOwn(dir); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "identity.json")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !MayOwn(filepath.Join(dir, "missing")) || MayOwn("/") || MayOwn(file) {
		t.Errorf("got %v, %v and %v for a missing folder, the root and a file, want true, false and false", MayOwn(filepath.Join(dir, "missing")), MayOwn("/"), MayOwn(file))
	}
	if runtime.GOOS == "windows" {
		return // a link requires a privilege
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "spool")); err != nil {
		t.Fatal(err)
	}
	if MayOwn(dir) {
		t.Error("got true for a folder with a link to another one, want false")
	}
}

// TestEachFileIsInTheRecordOfProcessing: the record of processing activities says what remains on the
// computers of participants.
func TestEachFileIsInTheRecordOfProcessing(t *testing.T) {
	b, err := os.ReadFile("../../docs/de/verarbeitungsverzeichnis.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(b), "\n### Auf dem Computer der Teilnehmenden\n")
	section, _, ended := strings.Cut(section, "\n## ")
	if !found || !ended {
		t.Fatal("there is no section about the computers of participants")
	}
	for _, e := range dataEntries() {
		if !strings.Contains(section, "`"+e.name+"`") {
			t.Errorf("the record does not describe %s", e.name)
		}
	}
}
