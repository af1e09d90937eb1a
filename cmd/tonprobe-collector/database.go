package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// withStored is withStore for commands that require an existing store: a mistyped --data or
// --database-url must not look like a collector without participants.
func (in *invocation) withStored(ctx context.Context, t terminal, use func(*sqlstore.Store) error) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	if c.DatabaseURL == "" {
		file := datadir.Database(c.DataDir)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return usagef("there is no database %s: give the collector's directory with --data", file)
		}
	}
	return in.open(ctx, c, sqlstore.Options{Existing: c.DatabaseURL != "", Log: logger(t, c)}, use)
}

// withStore opens the store, even while a collector is running, and creates it if
// necessary.
func (in *invocation) withStore(ctx context.Context, t terminal, use func(*sqlstore.Store) error) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	return in.open(ctx, c, sqlstore.Options{Log: logger(t, c)}, use)
}

func (in *invocation) open(ctx context.Context, c settings, o sqlstore.Options, use func(*sqlstore.Store) error) (err error) {
	var s *sqlstore.Store
	if c.DatabaseURL != "" {
		s, err = sqlstore.OpenPostgres(ctx, c.DatabaseURL, o)
	} else {
		s, err = openFile(ctx, c.DataDir, o)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return use(s)
}

func openFile(ctx context.Context, dir string, o sqlstore.Options) (*sqlstore.Store, error) {
	if err := datadir.Make(dir); err != nil {
		return nil, err
	}
	if err := datadir.Check(dir); err != nil {
		return nil, err
	}
	file := datadir.Database(dir)
	_, before := os.Stat(file)
	s, err := sqlstore.OpenSQLite(ctx, file, o)
	if err != nil || before == nil {
		return s, err
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if err := datadir.GiveToOwner(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func migrate(ctx context.Context, t terminal, in *invocation) error {
	return in.withStore(ctx, t, func(s *sqlstore.Store) error { // opening migrates
		v, err := s.Version(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.out, "The database is up to date: version %d.\n", v)
		return err
	})
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}
