package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// TestRestoredPostgresIsKnownToItsAgents backs up a collector with PostgreSQL while it runs, and
// restores it into another database and an empty directory: the agent's next report must be
// accepted.
func TestRestoredPostgresIsKnownToItsAgents(t *testing.T) {
	first, second := pgtest.Database(t), pgtest.Database(t)
	need.Program(t, "pg_dump")
	binary, home := program(t), t.TempDir()
	dataDir, file := filepath.Join(home, "data"), filepath.Join(home, "evening.tonprobe")
	use := func(address string) { t.Setenv("TONPROBE_DATABASE_URL", address) }
	command := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
		return string(out), err
	}
	use(first)
	p := startTLS(t, binary, dataDir)
	authority, err := os.ReadFile(filepath.Join(dataDir, "tls", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	c := enrolOver(t, trusting(t, authority), binary, dataDir, p.url)
	if _, err := c.send(c.newBatch(t, 2)); err != nil {
		t.Fatal(err)
	}
	if out, err := command("backup", file, "--data", dataDir); err != nil || !strings.Contains(out, "secret keys") {
		t.Fatalf("backup beside the running collector: %v\n%s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, error %v; want the permissions 0600", info, err)
	}
	// What arrives after the backup is not in it.
	if _, err := c.send(c.newBatch(t, 1)); err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(home, "restored")
	if out, err := command("restore", file, "--data", restored, "--overwrite"); statusOf(err) != "64" || !strings.Contains(out, "stop all collectors") {
		t.Errorf("restore beside the running collector: %v\n%s", err, out)
	}
	p.stopped(t)
	if out, err := command("restore", file, "--data", restored); statusOf(err) != "64" || !strings.Contains(out, "already has tables") {
		t.Errorf("restore over the collector's database: got error %v, want status 64 and %q\n%s", err, "already has tables", out)
	}
	if out, err := exec.CommandContext(t.Context(), binary, "restore", file, "--data", restored, "--database-url", "").CombinedOutput(); err == nil {
		t.Errorf("restore of a dump without a database: got no error\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(restored, "tls")); err == nil {
		t.Error("a refused restore changed the directory")
	}
	use(second)
	if out, err := command("restore", file, "--data", restored); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	p = startTLS(t, binary, restored)
	if strings.Contains(p.output.String(), "Password") {
		t.Error("the restored collector created a new user")
	}
	c.url = p.url
	if ids, err := c.send(c.newBatch(t, 1)); err != nil || len(ids) != 1 {
		t.Errorf("the agent's next report: got %v, error %v; want 1 entry", ids, err)
	}
	p.stopped(t)
	open := func(address string) func() (*sqlstore.Store, error) {
		return func() (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), address, sqlstore.Options{})
		}
	}
	wantKept(t, open(second), 3)

	// People who were erased since the backup must not reappear: the database that is replaced
	// contains them, even without the list beside the data.
	other := filepath.Join(home, "other")
	if out, err := command("erase", "Anna", "--data", other, "--yes"); err != nil {
		t.Fatalf("erase: %v\n%s", err, out)
	}
	if err := os.Remove(filepath.Join(other, "erased.txt")); err != nil {
		t.Error(err)
	}
	if out, err := command("restore", file, "--data", other, "--overwrite"); err != nil || !strings.Contains(out, "are erased again: 1.") {
		t.Errorf("restore of a backup from before the erasure: %v\n%s", err, out)
	}
	if out, err := command("participant", "list", "--json", "--data", other); err != nil || !strings.Contains(out, "[]") {
		t.Errorf("participants after that: %v\n%s", err, out)
	}

	// With --overwrite, the first database is as it was at the time of the backup.
	use(first)
	if out, err := command("restore", file, "--data", restored, "--overwrite"); err != nil {
		t.Fatalf("restore with --overwrite: %v\n%s", err, out)
	}
	wantKept(t, open(first), 2)

	// A table that the backup does not contain would remain.
	pgtest.Exec(t, first, `CREATE TABLE notes (id int)`)
	if out, err := command("restore", file, "--data", restored, "--overwrite"); statusOf(err) != "70" || !strings.Contains(out, `"notes"`) {
		t.Errorf("restore over a foreign table: %v\n%s", err, out)
	}
	wantKept(t, open(first), 2)
	// Without the programs of PostgreSQL, the message says what to do.
	t.Setenv("PATH", t.TempDir())
	for _, args := range [][]string{{"backup", filepath.Join(home, "b"), "--data", restored}, {"restore", file, "--data", restored, "--overwrite"}} {
		if out, err := command(args...); statusOf(err) != "64" || !strings.Contains(out, "postgresql-client") {
			t.Errorf("%s without the programs: %v\n%s", args[0], err, out)
		}
	}
}
