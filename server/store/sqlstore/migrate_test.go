package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pressly/goose/v3"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// firstTables are the tables of version 1, as in existing installations.
var firstTables = []string{"participants", "enrol_codes", "agents", "reports", "latest", "staff", "sessions", "one_time_logins"}

// firstVersion returns a database to which only migration 0001 was applied, with rows in
// each table: Anna was ready in a check with a microphone and then not ready in the
// background, Bert was only checked in the background, Carla never.
func firstVersion(t *testing.T) (path string, before map[string][]map[string]any) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "c.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sub, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	pack, _ := zstd.NewWriter(nil)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for i, name := range []string{"Anna", "Bert", "Carla"} {
		exec(`INSERT INTO participants VALUES (?, ?, ?, '0228 1', 1000, ?)`, name, name, store.NameKey(name), i%2)
		exec(`INSERT INTO enrol_codes VALUES (?, ?, 1, 2, 3)`, []byte("code of "+name), name)
		exec(`INSERT INTO agents VALUES (?, ?, ?, '0.1', 'windows', 'amd64', 5, 6)`, "agent of "+name, name, []byte("token of "+name))
	}
	for _, r := range []struct {
		id, participant, trigger, verdict string
		checked                           int
	}{
		{"a1", "Anna", "manual", "not_ready", 10}, {"a2", "Anna", "manual", "ready", 20}, {"a3", "Anna", "schedule", "not_ready", 30},
		{"b1", "Bert", "schedule", "ready", 15},
	} {
		exec(`INSERT INTO reports VALUES (?, ?, ?, 'A1B-2C3', ?, 1, ?, 2, ?, '', '', '', ?)`, r.id, "agent of "+r.participant, r.participant,
			r.trigger, r.checked, r.verdict, pack.EncodeAll(fmt.Appendf(nil, `{"id":%q}`, r.id), nil))
	}
	exec(`INSERT INTO latest VALUES ('Anna', 'a3', 'not_ready', 0, 30, 1, 6), ('Bert', 'b1', 'ready', 3, 15, 1, 6), ('Carla', NULL, '', 9, 0, 1, 6)`)
	exec(`INSERT INTO staff VALUES ('support', 'hash', 1)`)
	exec(`INSERT INTO sessions VALUES (X'01', 'support', 1, 9999999999999)`)
	exec(`INSERT INTO one_time_logins VALUES (X'02', 'support', 1, 2, 0)`)
	before = map[string][]map[string]any{}
	for _, table := range firstTables {
		if before[table] = rowsOf(t, db, table); len(before[table]) == 0 {
			t.Fatalf("no row in %s", table)
		}
	}
	return path, before
}

// rowsOf returns a whole table, by the names of its columns.
func rowsOf(t *testing.T, db *sql.DB, table string) (all []map[string]any) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table+` ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, n := range names {
			row[n] = values[i]
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestUpgradeKeepsACopy: the file of the older version is kept beside the new one, complete
// and private, and opening the database again creates no second copy.
func TestUpgradeKeepsACopy(t *testing.T) {
	path, before := firstVersion(t)
	for range 2 {
		if err := open(t, path).Close(); err != nil {
			t.Fatal(err)
		}
	}
	copies, err := filepath.Glob(path + ".version-1-*")
	if err != nil || len(copies) != 1 {
		t.Fatalf("got copies %v, error %v; want 1 entry", copies, err)
	}
	if info, err := os.Stat(copies[0]); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, error %v; want mode 0600", info, err)
	}
	if err := VerifySQLite(t.Context(), copies[0]); err != nil {
		t.Error(err)
	}
	db, err := sql.Open("sqlite", "file:"+copies[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, table := range firstTables {
		if after := rowsOf(t, db, table); !reflect.DeepEqual(after, before[table]) {
			t.Errorf("%s: got %v, want %v", table, after, before[table])
		}
	}
	if copies, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.version-*")); len(copies) != 1 {
		t.Errorf("got copies %v, want 1", copies)
	}
}

// TestNoCopyNoUpgrade: without a copy, the tables are not changed.
func TestNoCopyNoUpgrade(t *testing.T) {
	path, before := firstVersion(t)
	now := func() time.Time { return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC) }
	taken := path + ".version-1-20261129T080000.000Z"
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(t.Context(), path, Options{Now: now}); !errors.Is(err, store.ErrExists) {
		t.Fatalf("got %v, want %v", err, store.ErrExists)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if after := rowsOf(t, db, "latest"); !reflect.DeepEqual(after, before["latest"]) {
		t.Errorf("got %v, want %v", after, before["latest"])
	}
}

// newestVersion is the version of the last migration.
const newestVersion = 29

// newPeriods checks that the periods that came with an upgrade do not delete anything at once.
func newPeriods(t *testing.T, s *Store) {
	t.Helper()
	runs, err := s.RetentionRuns(t.Context())
	if err != nil || len(runs) != 2 {
		t.Fatalf("got %+v, error %v; want two new periods", runs, err)
	}
	for _, r := range runs {
		// PostgreSQL rounds the time of the migration to a second.
		if in := time.Until(r.BeginsAt).Truncate(time.Second); in < 29*24*time.Hour || in > 30*24*time.Hour || !r.RanAt.IsZero() {
			t.Errorf("got %+v, want it to begin in 30 days", r)
		}
		must(t, s.AddRetentionRun(t.Context(), r.Class, time.Now(), 0))
	}
	if again, err := s.RetentionRuns(t.Context()); err != nil || len(again) != 2 || !again[0].BeginsAt.Equal(runs[0].BeginsAt) {
		t.Errorf("after a run: got %+v, error %v; want the same begin", again, err)
	}
}

// TestUpgradeLosesNothing: each value of each row is kept, except for the
// one that the migration corrects.
func TestUpgradeLosesNothing(t *testing.T) {
	path, before := firstVersion(t)
	s := open(t, path)
	if v, err := s.Version(t.Context()); err != nil || v != newestVersion {
		t.Fatalf("got version %d, error %v; want %d", v, err, newestVersion)
	}
	newPeriods(t, s)
	// Ready by a check without a microphone no longer counts as ready.
	before["latest"][1]["verdict"], before["latest"][1]["verdict_rank"] = "unknown", int64(2)
	for _, table := range firstTables {
		after := rowsOf(t, s.read.pool, table)
		if len(after) != len(before[table]) {
			t.Fatalf("%s: got %d rows, want %d", table, len(after), len(before[table]))
		}
		for i, row := range before[table] {
			for column, want := range row {
				if got := after[i][column]; !reflect.DeepEqual(got, want) {
					t.Errorf("%s, row %d: got %s %v, want %v", table, i, column, got, want)
				}
			}
		}
	}
	for id, want := range map[string]struct{ last, full report.Verdict }{
		"Anna": {report.NotReady, report.Ready}, "Bert": {report.Unknown, ""}, "Carla": {"", ""},
	} {
		p, err := s.ParticipantState(t.Context(), id)
		if err != nil || p.Verdict != want.last || (p.Full != nil) != (want.full != "") {
			t.Errorf("%s: got %+v, error %v; want verdict %s, a full check: %v", id, p, err, want.last, want.full != "")
			continue
		}
		if p.Full != nil && (p.Full.Verdict != want.full || p.Full.ReportID != "a2") {
			t.Errorf("%s: got last full check %+v, want verdict %s of a2", id, p.Full, want.full)
		}
	}
	if r, err := s.Report(t.Context(), "a1"); err != nil || string(r.Document) != `{"id":"a1"}` {
		t.Errorf("got document %s, error %v; want %q", r.Document, err, `{"id":"a1"}`)
	}
	if found, err := s.CaseReports(t.Context(), "A1B-2C3", 0); err != nil || len(found) != 4 {
		t.Errorf("got %d reports with the case code, want 4 (error %v)", len(found), err)
	}
	var broken int
	if err := s.read.pool.QueryRow(`SELECT count(*) FROM pragma_foreign_key_check`).Scan(&broken); err != nil || broken != 0 {
		t.Errorf("got %d invalid references, error %v; want 0", broken, err)
	}
	for table, want := range map[string]string{"reports": "participants", "latest": "organisations participants"} {
		var got string
		err := s.read.pool.QueryRow(`SELECT group_concat("table", ' ') FROM (SELECT "table" FROM pragma_foreign_key_list(?) ORDER BY 1)`, table).Scan(&got)
		if err != nil || got != want {
			t.Errorf("%s: got a reference to %q, want %q (error %v)", table, got, want, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := VerifySQLite(t.Context(), path); err != nil {
		t.Error(err)
	}
	if again := rowsOf(t, open(t, path).read.pool, "latest"); again[1]["verdict"] != "unknown" {
		t.Errorf("opened again: got %v, want unknown for the second row", again)
	}
}
