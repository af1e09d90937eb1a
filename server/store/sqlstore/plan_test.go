package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

var evening = time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)

// small contains the tables that a statement may read as a whole: they have a row for
// each member of staff, organisation or key, or are rows of the statement itself, of which days
// has one for each day of the retention period.
var small = regexp.MustCompile(`^(staff|organisations|erasure_keys|v|v_1|few|days)$`)

// few matches a statement about keys that it lists, of which there are few, so that it
// may read and sort all of them.
var few = regexp.MustCompile(` IN \([?$]`)

// oneCode matches the list of the reports with a case code, of which there are few as well.
var oneCode = regexp.MustCompile(`r\.case_code = \S+ ORDER BY r\.checked_at`)

// keyset matches a statement that continues after a row of a list.
var keyset = regexp.MustCompile(`\((\S+), (\S+)\) [<>] \(`)

func explained(tr *tracer, check func(text string, args []driver.NamedValue)) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for text, args := range tr.texts {
		switch strings.Fields(text)[0] {
		case "SELECT", "UPDATE", "DELETE", "WITH":
			check(text, args)
		}
	}
}

// TestPlansOfSQLite: no statement scans a table that grows, nor sorts a list.
func TestPlansOfSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	dsn, err := sqliteSource(path, "foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	tr := &tracer{Connector: dsnConnector{dsn + "&_txlock=immediate", plain.Driver()}, texts: map[string][]driver.NamedValue{}}
	pool := sql.OpenDB(tr)
	pool.SetMaxOpenConns(1)
	d := *sqliteDialect(path, dsn)
	d.keepPrepared = false // so that the tracer sees them
	db := newDatabase(&d, pool)
	s := newStore(db, db)
	defer func() { _ = s.Close() }()
	defer func() { _ = plain.Close() }()
	addRows(t, s, 70) // more than are read by their ids at once
	useEverything(t, s)
	explained(tr, func(text string, args []driver.NamedValue) {
		rows, err := plain.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, valuesOf(args)...)
		if err != nil {
			t.Errorf("%s: got error %v, want none", text, err)
			return
		}
		defer func() { _ = rows.Close() }()
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		bad := ""
		for _, line := range plan {
			words := strings.Fields(line)
			if words[0] == "SCAN" && !small.MatchString(words[1]) && words[1] != "CONSTANT" && !strings.HasSuffix(line, "-ROW VALUES CLAUSE") ||
				strings.HasPrefix(line, "USE TEMP B-TREE FOR ORDER BY") && !few.MatchString(text) && !oneCode.MatchString(text) || strings.Contains(line, "AUTOMATIC") ||
				few.MatchString(text) && strings.HasSuffix(line, "(org_id=?)") {
				bad = line
			}
		}
		if keyset.MatchString(text) && !few.MatchString(text) && !regexp.MustCompile(`SEARCH .*\(\w+,\w+\)[<>]\(\?,\?\)`).MatchString(strings.Join(plan, "\n")) {
			bad = "the keyset is no condition of the index"
		}
		if bad != "" {
			t.Errorf("%s in\n%s\n%s", bad, text, strings.Join(plan, "\n"))
		}
	})
}

// dsnConnector connects as sql.Open does.
type dsnConnector struct {
	dsn    string
	driver driver.Driver
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c dsnConnector) Driver() driver.Driver                        { return c.driver }

func valuesOf(args []driver.NamedValue) (all []any) {
	for _, a := range args {
		all = append(all, a.Value)
	}
	return all
}

// TestPlansOfPostgres plans with scans and sorts disabled: a statement that uses one
// nevertheless has no suitable index.
func TestPlansOfPostgres(t *testing.T) {
	address := pgtest.Database(t)
	openPostgres(t, address)
	config, err := postgresConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	plain := stdlib.OpenDB(*config)
	defer func() { _ = plain.Close() }()
	plain.SetMaxOpenConns(1)
	if _, err := plain.ExecContext(t.Context(), `SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_incremental_sort = off`); err != nil {
		t.Fatal(err)
	}
	// The plans are those without statistics. Autovacuum would compute some after a minute, so on a
	// slow machine only, and for the few rows of this test reading a whole index is then cheapest.
	if _, err := plain.ExecContext(t.Context(), `DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
			EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
		END LOOP; END $$`); err != nil {
		t.Fatal(err)
	}
	tr := &tracer{Connector: stdlib.GetConnector(*config), texts: map[string][]driver.NamedValue{}}
	pool := sql.OpenDB(tr)
	db := newDatabase(postgresDialect("", pool), pool)
	s := newStore(db, db)
	defer func() { _ = s.Close() }()
	addRows(t, s, 70) // more than are read by their ids at once
	useEverything(t, s)
	explained(tr, func(text string, args []driver.NamedValue) {
		var raw []byte
		if err := plain.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) "+text, valuesOf(args)...).Scan(&raw); err != nil {
			t.Errorf("%s: got error %v, want none", text, err)
			return
		}
		var plans []struct{ Plan planNode }
		if err := json.Unmarshal(raw, &plans); err != nil {
			t.Fatal(err)
		}
		var bad []string
		var conditions string
		plans[0].Plan.visit(func(n planNode) {
			conditions += n.IndexCond + "\n"
			switch {
			case n.Relation != "" && small.MatchString(n.Relation):
			case n.Type == "Seq Scan", n.Type == "Sort" && !few.MatchString(text) && !oneCode.MatchString(text):
				bad = append(bad, fmt.Sprintf("%s on %s", n.Type, n.Relation))
			case strings.Contains(n.Type, "Index") && n.IndexCond == "":
				bad = append(bad, fmt.Sprintf("all of %s", n.Index))
			}
		})
		if keyset.MatchString(text) && !few.MatchString(text) && !strings.Contains(conditions, "ROW(") {
			bad = append(bad, "the keyset is no condition of the index")
		}
		if len(bad) > 0 {
			t.Errorf("%q in\n%s\n%s", bad, text, raw)
		}
	})
}

type planNode struct {
	Type      string     `json:"Node Type"`
	Relation  string     `json:"Relation Name"`
	Index     string     `json:"Index Name"`
	IndexCond string     `json:"Index Cond"`
	Plans     []planNode `json:"Plans"`
}

func (n planNode) visit(see func(planNode)) {
	see(n)
	for _, p := range n.Plans {
		p.visit(see)
	}
}
