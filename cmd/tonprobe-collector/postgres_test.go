package main

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// postgres creates a database for the test, which is dropped at its end, and
// returns its URL.
func postgres(t *testing.T) string {
	t.Helper()
	server := os.Getenv("TONPROBE_TEST_POSTGRES")
	if server == "" {
		const why = "there is no PostgreSQL server: .ci/postgres starts one and prints TONPROBE_TEST_POSTGRES"
		if os.Getenv("TONPROBE_TEST_ALL") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	ctx := context.WithoutCancel(t.Context())
	exec := func(statement string) {
		t.Helper()
		c, err := pgx.Connect(ctx, server)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(ctx) }()
		if _, err := c.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	name := "tonprobe_" + uuid.NewString()
	quoted := pgx.Identifier{name}.Sanitize()
	exec(`CREATE DATABASE ` + quoted + ` ENCODING 'UTF8' TEMPLATE template0`)
	t.Cleanup(func() { exec(`DROP DATABASE ` + quoted + ` WITH (FORCE)`) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// TestCommandsOnPostgres runs the commands that read the data. The URL comes from a
// file, and no output contains its password.
func TestCommandsOnPostgres(t *testing.T) {
	address := postgres(t)
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
	for _, c := range []struct {
		args string
		from string
		want int
		out  string
	}{
		{"participant list", file, exitUsage, "holds no collector"},
		{"participant add Anna", file, exitOK, "Anna"},
		{"participant list", file, exitOK, "Anna"},
		{"participant edit Anna --name Berta", file, exitOK, "Berta"},
		{"user add lead", file, exitOK, "lead"},
		{"migrate", file, exitOK, "up to date: version 7"},
		{"backup " + filepath.Join(dir, "copy"), file, exitUsage, "use pg_dump"},
		{"restore " + filepath.Join(dir, "copy"), file, exitUsage, "pg_restore"},
		{"participant delete Berta --yes", file, exitOK, "deleted"},
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
			t.Errorf("%s: exit status %d, want %d with %q:\n%s", c.args, got, c.want, c.out, &out)
		}
		if strings.Contains(out.String(), right) || strings.Contains(out.String(), wrong) {
			t.Errorf("%s: the password is in the output:\n%s", c.args, &out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "copy")); err == nil {
		t.Error("a backup was written")
	}
}
