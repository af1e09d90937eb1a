// Package sqlite keeps the collector's data in one SQLite file.
//
// SQLite has one writer at a time. The store therefore writes through one
// connection, where writers queue in Go and not in SQLite's busy loop, and
// reads through others, which WAL never blocks. A second process (the command
// line beside a running service) takes its turn by busy_timeout.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	busyTimeout = 15 * time.Second
	readers     = 4
)

// Store is a store.Store in one file.
type Store struct {
	write *sql.DB // one connection
	read  *sql.DB
	dsn   string // of write
	pack  *zstd.Encoder
	open  *zstd.Decoder
}

var _ store.Store = (*Store)(nil)

// Open opens or creates the file and brings its tables up to date. Its folder
// must exist. The file is readable by its owner only.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := createPrivate(path, 0); err != nil {
		return nil, err
	}
	s, err := connect(path)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, s.write); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("prepare %s: %w", path, err)
	}
	return s, nil
}

// createPrivate makes the file before SQLite would, which knows only the umask.
// SQLite gives its -wal and -shm files the same rights.
func createPrivate(path string, flags int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|flags, 0o600)
	if err != nil {
		return fmt.Errorf("open database file: %w", err)
	}
	return f.Close()
}

func connect(path string) (*Store, error) {
	// synchronous=FULL: in WAL mode NORMAL may lose the last commits when the
	// power fails, and an agent deletes its copy once we have answered 202.
	dsn, err := source(path, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)")
	if err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database for writing: %w", err)
	}
	write.SetMaxOpenConns(1)
	readOnly, err := source(path, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sql.Open("sqlite", readOnly)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database for reading: %w", err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	// Neither can fail with these options.
	pack, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	open, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(readers), zstd.WithDecoderMaxMemory(2*report.MaxBytes))
	return &Store{write: write, read: read, dsn: dsn, pack: pack, open: open}, nil
}

func source(path string, pragmas ...string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("open database %s: %w", path, err)
	}
	abs = filepath.ToSlash(abs)
	if !strings.HasPrefix(abs, "/") {
		abs = "/" + abs // file:///C:/...
	}
	q := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}).String(), nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1 FROM staff LIMIT 1`).Scan(&one); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("ask the database: %w", err)
	}
	return nil
}

// Backup implements store.Store.
func (s *Store) Backup(ctx context.Context, path string) error {
	err := createPrivate(path, os.O_EXCL) // VACUUM INTO takes an empty file
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("backup to %s: %w", path, store.ErrExists)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := errors.Join(s.vacuumInto(ctx, path), syncFile(path)); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("backup to %s: %w", path, err)
	}
	return nil
}

// syncFile puts on the disk what VACUUM INTO leaves to the system.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// vacuumInto copies through a connection of its own: it only reads here, so
// that writers go on, but query_only forbids the copy as well.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", s.dsn)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, path)
	return errors.Join(err, db.Close())
}

// DeleteExpired implements store.Store.
func (s *Store) DeleteExpired(ctx context.Context, now time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"sessions", "devices", "one_time_logins", "enrol_codes"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE expires_at < ?`, millis(now)); err != nil {
				return fmt.Errorf("delete expired %s: %w", table, err)
			}
		}
		return nil
	})
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.open.Close()
	return errors.Join(s.read.Close(), s.write.Close())
}

// inTx runs f in a transaction that holds the write lock from its start, so
// that it never has to be given up half way for a competing writer.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", orUnavailable(err))
	}
	if err := f(tx); err != nil {
		return errors.Join(orUnavailable(err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", orUnavailable(err))
	}
	return nil
}

// orUnavailable adds store.ErrUnavailable where SQLite itself could not work,
// so that a caller tells a full disk from data that cannot be kept.
func orUnavailable(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff { // the primary code
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_NOMEM:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

func isTaken(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) &&
		(e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
