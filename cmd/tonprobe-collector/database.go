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
	"github.com/tonprobe/tonprobe/server/store/sqlite"
)

// withStored is withStore for commands that require an existing store: a mistyped --data must
// not look like a collector without participants.
func (in *invocation) withStored(ctx context.Context, t terminal, use func(*sqlite.Store) error) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	file := datadir.Database(c.DataDir)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return usagef("there is no database %s: name the collector's directory with --data", file)
	}
	return in.withStore(ctx, t, use)
}

// withStore opens the store, also beside a running collector, and creates it if necessary.
func (in *invocation) withStore(ctx context.Context, t terminal, use func(*sqlite.Store) error) (err error) {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	if err := datadir.Make(c.DataDir); err != nil {
		return err
	}
	if err := datadir.Check(c.DataDir); err != nil {
		return err
	}
	s, err := sqlite.Open(ctx, datadir.Database(c.DataDir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return use(s)
}

func migrate(ctx context.Context, t terminal, in *invocation) error {
	return in.withStore(ctx, t, func(s *sqlite.Store) error { // opening migrates
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
