package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tonprobe/tonprobe/server/store"
)

// Verify reports what is wrong with a database file: that it is none, that it is
// damaged, or that it was written by a newer version (store.ErrNewerStore). It
// changes nothing.
func Verify(ctx context.Context, path string) (err error) {
	dsn, err := source(path, "query_only(1)")
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("the database is damaged: %s", found)
	}
	p, err := provider(db)
	if err != nil {
		return err
	}
	var current int64
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&current); err != nil {
		return fmt.Errorf("this is no database of a collector: %w", err)
	}
	if target := newest(p); current > target {
		return fmt.Errorf("%w: its tables are version %d, this program knows %d: install the newer version", store.ErrNewerStore, current, target)
	}
	return nil
}
