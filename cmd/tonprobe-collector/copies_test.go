package main

import (
	"bytes"
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// TestRemoveAllCopiesAfterAnUpgrade: the command keeps the copy that it makes itself when it finds a database of
// an older version.
func TestRemoveAllCopiesAfterAnUpgrade(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", datadir.Database(dir))
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("../../server/store/sqlstore/migrations/sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(datadir.Database(dir)+".before-20260101T000000.000Z", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []struct{ args, want string }{
		{"copies remove all", "collector.db.before-20260101T000000.000Z is removed.\n"},
		{"copies list", "collector.db.version-1-"},
	} {
		var out, problems bytes.Buffer
		term := terminal{out: &out, err: &problems, getenv: func(string) string { return "" }}
		if got := run(t.Context(), term, append(strings.Fields(command.args), "--data", dir)); got != exitOK || !strings.HasPrefix(out.String(), command.want) || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: got status %d, %q, %q; want %q alone", command.args, got, &out, &problems, command.want)
		}
	}
}
