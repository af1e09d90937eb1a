package sqlstore

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/klauspost/compress/zstd"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// filledPostgres creates the tables of an older version with rows in all of them, and returns
// the rows.
func filledPostgres(t *testing.T, address string, version int64) (before map[string][]map[string]any) {
	t.Helper()
	config, err := postgresConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	pool := stdlib.OpenDB(*config)
	defer func() { _ = pool.Close() }()
	p, err := provider(postgresDialect("", pool), pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := pool.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	pack, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"Anna", "Bert"} {
		exec(`INSERT INTO participants (id, org_id, name, name_key, search_key, phone, phone_key, created_at, blocked) VALUES ($1, 'default', $1, $2, $2, '0228 1', '02281', 1000, $3)`, name, store.NameKey(name), i == 1)
		if version >= 9 { // before it there is no search index
			err := newDatabase(postgresDialect("", pool), pool).inTx(t.Context(), func(tx runner) error {
				return keepSearchParts(t.Context(), tx, DefaultOrganisation, name, store.NameKey(name), "02281")
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		exec(`INSERT INTO enrol_codes (code_hash, org_id, participant_id, created_at, expires_at) VALUES ($1, 'default', $2, 1, 2)`, []byte("code of "+name), name)
		exec(`INSERT INTO agents (id, org_id, participant_id, token_hash, version, os, arch, created_at, last_seen_at) VALUES ($1, 'default', $2, $3, '0.1', 'linux', 'amd64', 5, 6)`, "agent of "+name, name, []byte("token of "+name))
		exec(`INSERT INTO reports (id, org_id, agent_id, participant_id, case_code, trigger_kind, started_at, checked_at, received_at, verdict, primary_code, primary_severity, primary_area, document)
			VALUES ($1, 'default', $2, $3, 'K7P-3QX', 'manual', 9, 10, 11, 'ready', '', '', '', $4)`, "report of "+name, "agent of "+name, name, pack.EncodeAll(fmt.Appendf(nil, `{"id":"report of %s"}`, name), nil))
		exec(`INSERT INTO latest (participant_id, org_id, blocked, report_id, last_verdict, checked_at, received_at, case_code, full_report_id, full_verdict, full_checked_at, full_received_at, verdict, verdict_rank, counts_at, enrolled, last_seen_at)
			VALUES ($1, 'default', $2, $3, 'ready', 10, 11, 'K7P-3QX', $3, 'ready', 10, 11, 'ready', 3, 10, true, 6)`, name, i == 1, "report of "+name)
	}
	exec(`INSERT INTO councils (id, org_id, name, created_at) VALUES ('c', 'default', 'Stadtrat', 7)`)
	exec(`INSERT INTO council_members VALUES ('c', 'Anna')`)
	exec(`INSERT INTO staff (name, org_id, password_hash, created_at) VALUES ('support', 'default', 'hash', 1)`)
	for i, table := range []string{"sessions", "devices", "one_time_logins"} {
		exec(`INSERT INTO `+table+` (token_hash, org_id, staff_name, created_at, expires_at) VALUES ($1, 'default', 'support', 1, 9999999999999)`, []byte{byte(i)})
	}
	if version >= 11 {
		exec(`INSERT INTO council_sessions VALUES ('s', 'default', 'c', 'Sitzung', 20, 30, 30, '', 'default', 'Rathaus', false, false, '', 's')`)
		exec(`INSERT INTO agent_tokens VALUES ($1, 'default', 'agent of Anna', 8)`, []byte("former"))
	}
	tables, err := pool.QueryContext(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	before = map[string][]map[string]any{}
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			t.Fatal(err)
		}
		before[name] = nil
	}
	if err := tables.Err(); err != nil {
		t.Fatal(err)
	}
	for name := range before {
		if before[name] = rowsOf(t, pool, name); len(before[name]) == 0 && name != "search_parts" {
			t.Fatalf("no row in %s", name)
		}
	}
	return before
}

// keptRows reports each value of before that is not in the tables of s.
func keptRows(t *testing.T, s *Store, before map[string][]map[string]any) {
	t.Helper()
	for table, rows := range before {
		after := rowsOf(t, s.read.pool, table)
		for _, row := range rows {
			if !slices.ContainsFunc(after, func(got map[string]any) bool {
				for column, want := range row {
					if value, still := got[column]; still && !reflect.DeepEqual(value, want) {
						return false
					}
				}
				return true
			}) {
				t.Errorf("%s: lost or changed %v; got %v", table, row, after)
			}
		}
	}
}

// TestUpgradeOfFilledPostgres: several collectors start with a newer version at once on a
// database that an older one has filled. One of them migrates, and nothing is lost.
func TestUpgradeOfFilledPostgres(t *testing.T) {
	for _, version := range []int64{6, 11} {
		t.Run(fmt.Sprintf("from version %d", version), func(t *testing.T) {
			address := pgtest.Database(t)
			before := filledPostgres(t, address, version)
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					s, err := OpenPostgres(t.Context(), address, Options{})
					if err != nil {
						t.Error(err)
						return
					}
					_ = s.Close()
				})
			}
			wg.Wait()
			s := openPostgres(t, address)
			if v, err := s.Version(t.Context()); err != nil || v != newestVersion {
				t.Fatalf("got version %d, error %v; want %d", v, err, newestVersion)
			}
			keptRows(t, s, before)
			newPeriods(t, s)
			p, err := s.ParticipantState(t.Context(), "Anna")
			if err != nil || p.Verdict != report.Ready || p.Full == nil {
				t.Errorf("got %+v, error %v; want ready", p, err)
			}
			if page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: "bert"}); err != nil || len(page.States) != 1 {
				t.Errorf("got %+v, error %v; want Bert", page.States, err)
			}
			at := time.UnixMilli(12)
			r := newReport(0)
			r.ReceivedAt, r.CheckedAt = at, at
			if got, err := s.SaveReports(t.Context(), "agent of Anna", []store.NewReport{r}); err != nil || got[0].Status != store.Stored {
				t.Errorf("got %v, error %v; want it stored", got, err)
			}
		})
	}
}

// TestTwoProcessesUpgradeAtOnce is the same with SQLite: the service and commands. One of
// them migrates, so that there is one copy of the older version.
func TestTwoProcessesUpgradeAtOnce(t *testing.T) {
	path, before := firstVersion(t)
	before["latest"][1]["verdict"], before["latest"][1]["verdict_rank"] = "unknown", int64(2) // see TestUpgradeLosesNothing
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := OpenSQLite(t.Context(), path, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
	keptRows(t, open(t, path), before)
	copies, err := filepath.Glob(path + ".version-*")
	if err != nil || len(copies) != 1 {
		t.Errorf("got copies %v, error %v; want 1", copies, err)
	}
}
