package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// Pauses between the attempts to reach a database server at the start.
const (
	firstPause   = time.Second
	longestPause = 15 * time.Second
)

// openStore opens the database of the configuration and brings its tables up to
// date.
func openStore(ctx context.Context, c Config) (*sqlstore.Store, error) {
	o := sqlstore.Options{Log: c.Log, Now: c.Now}
	file := datadir.Database(c.DataDir)
	if c.DatabaseURL == "" {
		if err := datadir.Check(c.DataDir); err != nil {
			return nil, err
		}
		s, err := sqlstore.OpenSQLite(ctx, file, o)
		if err != nil {
			return nil, wrapDiskFull(c.DataDir, err)
		}
		return s, nil
	}
	if info, err := os.Stat(file); err == nil && info.Size() > 0 {
		c.Log.Warn("the data is in PostgreSQL: the SQLite database in the data directory is not used", "file", file)
	}
	return waitForPostgres(ctx, c, o)
}

// waitForPostgres opens the database as soon as its server responds: after a power
// failure both start at the same time. Errors that waiting does not resolve are
// returned.
func waitForPostgres(ctx context.Context, c Config, o sqlstore.Options) (*sqlstore.Store, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		s, err := sqlstore.OpenPostgres(ctx, c.DatabaseURL, o)
		if err == nil || !errors.Is(err, store.ErrUnavailable) {
			return s, err
		}
		c.Log.Warn("waiting for the database, which is not usable yet", "retry_in", pause, "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("stopped while waiting for the database: %w", err)
		}
	}
}

// roomFor returns errNoRoom if the next reports may not fit on this machine's disk. It
// does not check the disk of a database server.
func roomFor(c Config) error {
	if c.DatabaseURL != "" {
		return nil
	}
	return enoughRoom(c.DataDir)
}
