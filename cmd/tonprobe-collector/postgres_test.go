package main

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestCommandsOnPostgres runs the commands that read the data. The URL comes from a file,
// and the output must not contain its password.
func TestCommandsOnPostgres(t *testing.T) {
	address := pgtest.Database(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	right, _ := u.User.Password()
	const wrong = "notthepassword"
	u.User = url.UserPassword(u.User.Username(), wrong)
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	file, refused, garbled := write("url", address), write("refused", u.String()), write("garbled", "postgres://u:"+wrong+"@host:port/x y")
	refusedFile := write("nobackup", "these are notes")
	for _, c := range []struct {
		args string
		from string
		want int
		out  string
	}{
		{"participant list", file, exitUsage, "contains no collector"},
		{"participant add Anna", file, exitOK, "Anna"},
		{"participant list", file, exitOK, "Anna"},
		{"participant edit Anna --name Berta", file, exitOK, "Berta"},
		{"user add lead", file, exitOK, "lead"},
		{"migrate", file, exitOK, "up to date: version 29"},
		{"backup " + filepath.Join(dir, "copy"), file, exitOK, "secret keys"},
		{"participant add Carla", file, exitOK, "Carla"},
		{"restore " + filepath.Join(dir, "copy"), file, exitUsage, "already has tables"},
		{"restore " + filepath.Join(dir, "copy") + " --overwrite", file, exitOK, "into PostgreSQL"},
		{"participant list", file, exitOK, "Berta"},
		{"participant edit Carla --name Dora", file, exitUsage, "no participant"},
		{"restore " + refusedFile + " --overwrite", file, exitUsage, "not a backup"},
		{"backup " + filepath.Join(dir, "copy"), file, exitUsage, "already exists"},
		{"participant delete Berta --yes", file, exitOK, "erased"},
		{"participant list", refused, exitFailed, "password authentication failed"},
		{"participant list", garbled, exitUsage, "postgres://user@host:5432/database"},
		{"participant list --database-url mysql://u:" + wrong + "@h/d", file, exitUsage, "postgres://user@host:5432/database"},
		{"participant list", write("empty", ""), exitUsage, "empty"},
	} {
		var out bytes.Buffer
		term := terminal{in: strings.NewReader(""), out: &out, err: &out, getenv: func(string) string { return "" }}
		args := append(strings.Fields(c.args), "--data", filepath.Join(dir, "data"))
		if !strings.Contains(c.args, "--database-url") {
			args = append(args, "--database-url-file", c.from)
		}
		got := run(t.Context(), term, args)
		if got != c.want || !strings.Contains(out.String(), c.out) {
			t.Errorf("%s: got exit status %d, want %d with %q:\n%s", c.args, got, c.want, c.out, &out)
		}
		if strings.Contains(out.String(), right) || strings.Contains(out.String(), wrong) {
			t.Errorf("%s: the password is in the output:\n%s", c.args, &out)
		}
	}
}
