package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tonprobe/tonprobe/server/store"
)

// restoringName is the name of a connection that does not count as a collector's.
const restoringName = "tonprobe-restore"

// TombstonesOfSQLite returns the tombstones in a database file, which it does not migrate. A file that does
// not exist, or of a version without tombstones, has none.
func TombstonesOfSQLite(ctx context.Context, path string) (store.TombstoneList, error) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return store.TombstoneList{}, nil //nolint:nilerr // there is no database
	}
	dsn, err := sqliteSource(path, "query_only(1)")
	if err != nil {
		return store.TombstoneList{}, err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return store.TombstoneList{}, fmt.Errorf("open database: %w", err)
	}
	return tombstonesOf(ctx, newDatabase(sqliteDialect(path, dsn), db), `SELECT count(*) FROM sqlite_schema WHERE name = ?`)
}

// TombstonesOfPostgres is TombstonesOfSQLite for a database of PostgreSQL.
func TombstonesOfPostgres(ctx context.Context, address string) (store.TombstoneList, error) {
	config, err := postgresConfig(address)
	if err != nil {
		return store.TombstoneList{}, err
	}
	config.RuntimeParams["application_name"] = restoringName
	pool := stdlib.OpenDB(*config)
	return tombstonesOf(ctx, newDatabase(postgresDialect(address, pool), pool), `SELECT count(*) FROM pg_class WHERE oid = to_regclass(?)`)
}

func tombstonesOf(ctx context.Context, d *database, exists string) (l store.TombstoneList, err error) {
	defer func() { err = errors.Join(err, d.close()) }()
	s := &Store{org: DefaultOrganisation, read: d}
	for _, part := range []struct {
		table string
		read  func(context.Context) error
	}{
		{"tombstones", func(ctx context.Context) (err error) { l, err = s.idTombstones(ctx); return err }},
		{"erased_names", func(ctx context.Context) (err error) { l.Names, err = s.erasedNames(ctx); return err }},
	} {
		var tables int
		if err := d.row(ctx, exists, part.table).Scan(&tables); err != nil {
			return l, fmt.Errorf("look for tombstones: %w", err)
		}
		if tables == 0 {
			l.NamesUnknown = part.table == "erased_names"
			return l, nil
		}
		if err := part.read(ctx); err != nil {
			return l, err
		}
	}
	return l, nil
}
