package sqlstore

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestHostileDumps: a file that is no dump of a collector, or of a newer version, changes nothing.
func TestHostileDumps(t *testing.T) {
	address := pgtest.Database(t)
	need.Program(t, "pg_dump")
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	source := pgtest.Database(t)
	s := openPostgres(t, source)
	if err := s.Backup(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, source, `UPDATE goose_db_version SET version_id = 99999 WHERE version_id > 0`)
	newer := filepath.Join(dir, "newer")
	if err := s.Backup(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	foreignSource := pgtest.Database(t)
	pgtest.Exec(t, foreignSource, `CREATE TABLE goose_db_version (id int)`)
	foreign := filepath.Join(dir, "foreign")
	if err := postgresDump(t.Context(), foreignSource, foreign); err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"nothing":    {write("nothing", nil), ErrDump},
		"text":       {write("text", []byte("DROP TABLE reports;")), ErrDump},
		"cut":        {write("cut", b[:len(b)/2]), nil},
		"head only":  {write("head", b[:20]), ErrDump},
		"not a file": {filepath.Join(dir, "missing"), ErrDump},
		"foreign":    {foreign, ErrDump},
		"newer":      {newer, store.ErrNewerStore},
	} {
		err := RestorePostgres(t.Context(), address, c.file, false)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got error %v, want %v", name, err, c.want)
		}
		empty := openEmpty(t, address)
		if !empty {
			t.Fatalf("%s: the refused dump left tables", name)
		}
	}
	if err := RestorePostgres(t.Context(), address, whole, false); err != nil {
		t.Error(err)
	}
}

func openEmpty(t *testing.T, address string) bool {
	t.Helper()
	err := mayRestore(t.Context(), address, nil, false)
	if err != nil && !errors.Is(err, ErrFilled) {
		t.Fatal(err)
	}
	return err == nil
}

// TestPasswordsAreNotArguments replaces pg_dump by a program that writes down how it was called.
func TestPasswordsAreNotArguments(t *testing.T) {
	dir := t.TempDir()
	called := filepath.Join(dir, "called")
	script := "#!/bin/sh\necho \"$@\" \"password=$PGPASSWORD\" > '" + called + "'\necho 'no such host' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "pg_dump"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for _, address := range []string{"postgres://u:geheim%2F1@127.0.0.1:1/d?sslmode=disable", "postgres://u@127.0.0.1:1/d?password=geheim%2F1&sslmode=disable"} {
		err := postgresDump(t.Context(), address, filepath.Join(t.TempDir(), "dump"))
		if err == nil || !strings.Contains(err.Error(), "no such host") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: got error %v, want the unknown host without the password", address, err)
		}
		b, err := os.ReadFile(called)
		if err != nil {
			t.Skip("this system runs no shell scripts")
		}
		args, password, _ := strings.Cut(string(b), "password=")
		if strings.Contains(args, "geheim") || strings.TrimSpace(password) != "geheim/1" {
			t.Errorf("called with %q", b)
		}
		if u, _ := url.Parse(address); !strings.Contains(args, u.Host+"/d?sslmode=disable") {
			t.Errorf("called with %q, want the address", args)
		}
	}
}
