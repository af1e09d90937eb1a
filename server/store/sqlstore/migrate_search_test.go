package sqlstore

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// versionSeven creates the tables as they were before the search table existed, with enough
// participants for several steps of the migration.
func versionSeven(t *testing.T, d *dialect, pool *sql.DB) {
	t.Helper()
	p, err := provider(d, pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	db := newDatabase(d, pool)
	err = db.inTx(t.Context(), func(tx runner) error {
		for i := range 1100 {
			name, phone, id := fmt.Sprintf("Person %04d", i), "", fmt.Sprintf("id%04d", i)
			if i == 1050 {
				name, phone = "Jürgen Groß", "0049 30/12.34.56"
			}
			words, _ := searchKeys(name, phone)
			_, err := tx.exec(t.Context(), `INSERT INTO participants (id, org_id, name, name_key, search_key, phone, phone_key, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0)`,
				id, DefaultOrganisation, name, store.NameKey(name), words, phone, "00493012.34.56")
			if err != nil {
				return err
			}
			if _, err := tx.exec(t.Context(), `INSERT INTO latest (participant_id, org_id) VALUES (?, ?)`, id, DefaultOrganisation); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUpgradeFillsTheSearch(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "c.db")
		dsn, err := sqliteSource(path, "foreign_keys(1)")
		if err != nil {
			t.Fatal(err)
		}
		pool, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		pool.SetMaxOpenConns(1)
		d := *sqliteDialect(path, dsn)
		d.keepPrepared = false
		versionSeven(t, &d, pool)
		if err := pool.Close(); err != nil {
			t.Fatal(err)
		}
		searchesUpgraded(t, open(t, path))
		if copies, err := filepath.Glob(path + ".version-7-*"); err != nil || len(copies) != 1 {
			t.Errorf("got copies %v, error %v; want 1 entry", copies, err)
		}
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		address := pgtest.Database(t)
		config, err := postgresConfig(address)
		if err != nil {
			t.Fatal(err)
		}
		pool := stdlib.OpenDB(*config)
		defer func() { _ = pool.Close() }()
		versionSeven(t, postgresDialect("", pool), pool)
		searchesUpgraded(t, openPostgres(t, address))
	})
}

func searchesUpgraded(t *testing.T, s *Store) {
	t.Helper()
	for search, want := range map[string]string{"juergen": "id1050", "gross": "id1050", "030 123456": "id1050", "+49 30 1234": "id1050",
		"person 0000": "id0000", "1099": "id1099", "0049": "id0049"} { // the last one is a name
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: search})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range page.States {
			got = append(got, p.ID)
		}
		if !slices.Equal(got, []string{want}) {
			t.Errorf("%q: got %v, want %s", search, got, want)
		}
	}
	if similar, err := s.SimilarStates(t.Context(), "Jurgn Gross", 3); err != nil || len(similar) != 1 {
		t.Errorf("got %v, error %v; want 1 similar", similar, err)
	}
}
