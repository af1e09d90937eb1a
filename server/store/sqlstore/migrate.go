package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/tonprobe/tonprobe/server/store"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrate migrates the tables, unless another process has. keep is called before tables of
// an older version change; version 0 is an empty database.
func (s *Store) migrate(ctx context.Context, o Options, keep func(from int64) error) error {
	p, err := provider(s.write.dialect, s.write.pool)
	if err != nil {
		return err
	}
	if current, err := s.Version(ctx); err == nil && current == newest(p) {
		return nil
	}
	return s.write.fault(s.write.migrating(ctx, func() error { return s.write.up(ctx, p, o, keep) }))
}

func provider(d *dialect, db *sql.DB) (*goose.Provider, error) {
	sub, err := fs.Sub(migrations, "migrations/"+d.folder)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(d.goose, db, sub, goose.WithGoMigrations(fillSearchParts(d)))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return p, nil
}

// newest returns the version of the tables that this program creates.
func newest(p *goose.Provider) (version int64) {
	for _, s := range p.ListSources() {
		version = max(version, s.Version)
	}
	return version
}

// newestTables is newest, from the names of the migrations in a folder (0012_cases.sql).
func newestTables(folder string) (version int64, err error) {
	files, err := fs.ReadDir(migrations, "migrations/"+folder)
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read migrations: %w", err)
		}
		version = max(version, n)
	}
	return version, nil
}

func (d *database) up(ctx context.Context, p *goose.Provider, o Options, keep func(from int64) error) error {
	if o.Existing {
		if _, err := d.exec(ctx, `SELECT 1 FROM goose_db_version WHERE version_id > 0 LIMIT 1`); err != nil {
			return fmt.Errorf("%w: %w", ErrNoCollector, err)
		}
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read version of the tables: %w", err)
	}
	if err := notNewer(current, target); err != nil || current == target {
		return err
	}
	if err := keep(current); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func notNewer(current, target int64) error {
	if current > target {
		return fmt.Errorf("%w: its tables are version %d, this program knows %d: install the newer version", store.ErrNewerStore, current, target)
	}
	return nil
}

// Version returns the version of the tables.
func (s *Store) Version(ctx context.Context) (int64, error) {
	var v int64
	if err := s.read.row(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&v); err != nil {
		return 0, fmt.Errorf("read version of the tables: %w", err)
	}
	return v, nil
}
