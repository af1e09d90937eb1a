package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/tonprobe/tonprobe/server/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date. Another process may do the same at this
// moment: whoever loses the race fails on a table that exists, and finds
// nothing left to do when it looks again.
func migrate(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	const attempts = 3
	for range attempts {
		if err = up(ctx, p); err == nil {
			return nil
		}
	}
	return err
}

func provider(db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// newest is the version of the tables that this program makes.
func newest(p *goose.Provider) (version int64) {
	for _, s := range p.ListSources() {
		version = max(version, s.Version)
	}
	return version
}

func up(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read version of the tables: %w", err)
	}
	if current > target {
		return fmt.Errorf("%w: its tables are version %d, this program knows %d: install the newer version", store.ErrNewerStore, current, target)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Version gives the version of the tables.
func (s *Store) Version(ctx context.Context) (int64, error) {
	var v int64
	err := s.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&v)
	if err != nil {
		return 0, fmt.Errorf("read version of the tables: %w", err)
	}
	return v, nil
}
