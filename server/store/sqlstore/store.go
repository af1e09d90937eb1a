// Package sqlstore stores the collector's data in a SQL database: in an SQLite file, or
// on a PostgreSQL server. Each query is written once for both; their differences are in
// the type dialect.
package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// DefaultOrganisation is the id of the organisation that every collector begins with.
const DefaultOrganisation = "default"

// Options configures a store. The zero value is valid.
type Options struct {
	// Existing rejects a database without a collector's tables with ErrNoCollector.
	Existing bool
	// Log receives migrations and warnings for the administrator. The default discards.
	Log *slog.Logger
	// Now is the clock for the names of backups; the default is time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// ErrNoCollector means that a database contains no collector.
var ErrNoCollector = errors.New("this database contains no collector")

// Store is a store.Store in a SQL database, limited to one organisation.
type Store struct {
	org    string
	write  *database
	read   *database // the same as write if readers and writers need no separate connections
	saver  *saver
	pack   *zstd.Encoder
	open   *zstd.Decoder
	limits searchLimits
}

var _ store.Store = (*Store)(nil)

func newStore(write, read *database) *Store {
	// Neither can fail with these options.
	pack, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)))
	open, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithDecoderMaxMemory(2*report.MaxBytes))
	s := &Store{org: DefaultOrganisation, write: write, read: read, pack: pack, open: open, limits: defaultSearchLimits}
	s.saver = newSaver(write)
	return s
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	err := s.read.row(ctx, `SELECT 1 FROM organisations WHERE id = ?`, s.org).Scan(&one)
	if err == nil {
		err = s.write.writable(ctx, s.write)
	}
	if err != nil {
		return fmt.Errorf("query the database: %w", err)
	}
	return nil
}

// Backup implements store.Store.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.write.snapshot(ctx, path); err != nil {
		return fmt.Errorf("backup to %s: %w", path, err)
	}
	return nil
}

// DeleteExpired implements store.Store.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) (deleted int, err error) {
	err = s.write.inTx(ctx, func(tx runner) error {
		deleted = 0
		for _, table := range []string{"sessions", "devices", "one_time_logins", "staff_invitations", "login_challenges", "used_codes", "enrol_codes", "guesses", "own_pages"} {
			rows, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE expires_at < ? AND org_id = ?`, millis(now), s.org)
			if err != nil {
				return fmt.Errorf("delete expired %s: %w", table, err)
			}
			deleted += int(rows)
		}
		return nil
	})
	return deleted, err
}

// Close implements store.Store. It waits for running writes.
func (s *Store) Close() error {
	s.saver.wait()
	s.open.Close()
	err := s.write.close()
	if s.read != s.write {
		err = errors.Join(err, s.read.close())
	}
	return err
}

// nextRevision returns the next revision of the list of participants. It is called last
// in a transaction, after the row of latest was written or locked: revisions then
// become visible in order, and no two transactions wait for each other.
func nextRevision(ctx context.Context, tx runner, org string) (revision int64, err error) {
	err = tx.row(ctx, `UPDATE organisations SET revision = revision + 1 WHERE id = ? RETURNING revision`, org).Scan(&revision)
	if err != nil {
		return 0, fmt.Errorf("count the change: %w", err)
	}
	return revision, nil
}

// stateChanged marks one participant as changed. The caller has written their row
// of latest in this transaction, or locked it.
func (s *Store) stateChanged(ctx context.Context, tx runner, participantID string) error {
	revision, err := nextRevision(ctx, tx, s.org)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE latest SET revision = ? WHERE participant_id = ?`, revision, participantID); err != nil {
		return fmt.Errorf("mark participant as changed: %w", err)
	}
	return nil
}

// unknownHash is a hash that belongs to no token.
func unknownHash() (h store.Hash) {
	_, _ = rand.Read(h[:]) // never fails
	return h
}
