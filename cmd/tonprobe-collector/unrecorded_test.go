package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/tonprobe/tonprobe/server/datadir"
)

// TestCodesDespiteTheAuditLog: if the entry of the audit log cannot be written, the code of a new participant
// is printed with the error, and a table is not imported at all.
func TestCodesDespiteTheAuditLog(t *testing.T) {
	dir := t.TempDir()
	command := func(args ...string) (status int, out, problems string) {
		t.Helper()
		var o, e bytes.Buffer
		term := terminal{out: &o, err: &e, getenv: func(string) string { return "" }}
		status = run(t.Context(), term, append(args, "--data", dir))
		return status, o.String(), e.String()
	}
	if status, _, problems := command("participant", "add", "Anna"); status != exitOK {
		t.Fatalf("got status %d: %s", status, problems)
	}
	db, err := sql.Open("sqlite", datadir.Database(dir))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TRIGGER no_entry BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'no entry'); END`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`Code: +\S{4}-\S{4}-\S{4}\n`)
	for _, args := range [][]string{{"participant", "add", "Berta"}, {"participant", "code", "Anna"}} {
		if status, out, problems := command(args...); status == exitOK || !code.MatchString(out) {
			t.Errorf("%v: got status %d, %q, %q; want a code and an error", args, status, out, problems)
		}
	}
	table := filepath.Join(dir, "people.csv")
	if err := os.WriteFile(table, []byte("Name\nCem\nDora\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, problems := command("participant", "import", table); status == exitOK || out != "" {
		t.Errorf("import: got status %d, %q, %q; want an error", status, out, problems)
	}
	if status, out, problems := command("participant", "list", "--search", "Cem", "--json"); status != exitOK || out != "[]\n" {
		t.Errorf("after the import: got status %d, %q, %q; want nobody", status, out, problems)
	}
}
