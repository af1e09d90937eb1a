package sqlstore

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

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/store"
)

const (
	busyTimeout   = 15 * time.Second
	sqliteReaders = 4
)

// OpenSQLite opens or creates a database file and migrates its tables. Its folder must
// exist. Only its owner can read the file. Before tables of an older version change, a
// copy of the file is stored beside it.
//
// SQLite has one writer at a time. The store therefore writes through one connection,
// for which writers queue in Go and not in SQLite's busy loop, and reads through
// others, which WAL never blocks. A second process (the command line beside a running
// service) waits by busy_timeout.
func OpenSQLite(ctx context.Context, path string, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.Existing {
		if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			return nil, fmt.Errorf("%s: %w", path, ErrNoCollector)
		}
	}
	if err := createPrivate(path, 0); err != nil {
		return nil, err
	}
	s, err := connectSQLite(path)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, o, func(from int64) error { return keepBefore(ctx, s, path, from, o) }); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", path, err), s.Close())
	}
	return s, nil
}

// createPrivate creates the file before SQLite would, which uses the umask only. SQLite
// gives its -wal and -shm files the same rights.
func createPrivate(path string, flags int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|flags, 0o600)
	if err != nil {
		return fmt.Errorf("open database file: %w", err)
	}
	return f.Close()
}

func sqliteDialect(path, dsn string) *dialect {
	return &dialect{
		folder: "sqlite", goose: goose.DialectSQLite3, lanes: 1, keepPrepared: true,
		fault:     sqliteFault,
		taken:     sqliteTaken,
		again:     func(error) bool { return false },
		ended:     func(error, bool) bool { return false }, // a file has no sessions
		migrating: func(ctx context.Context, f func() error) error { return datadir.Exclusive(ctx, path, f) },
		writable:  func(context.Context, *database) error { return nil },
		snapshot:  func(ctx context.Context, path string) error { return sqliteSnapshot(ctx, dsn, path) },

		overwriteDeleted: `PRAGMA secure_delete = ON`,
		scrub:            sqliteScrub,
	}
}

func connectSQLite(path string) (*Store, error) {
	// synchronous=FULL: in WAL mode NORMAL may lose the last commits when the
	// power fails, and an agent deletes its copy once we have answered 202.
	//
	// temp_store=MEMORY keeps the pages that a statement may have to put back in
	// memory: in a file, each statement would write and truncate it. A checkpoint writes
	// each page once however often it has changed since the last one, so fewer than one
	// each 4 MB (the default) save writes; a larger cache saves reads.
	dsn, err := sqliteSource(path, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(67108864)",
		"temp_store(MEMORY)", "wal_autocheckpoint(4000)", "cache_size(-16000)")
	if err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database for writing: %w", err)
	}
	write.SetMaxOpenConns(1)
	readOnly, err := sqliteSource(path, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sql.Open("sqlite", readOnly)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database for reading: %w", err), write.Close())
	}
	read.SetMaxOpenConns(sqliteReaders)
	read.SetMaxIdleConns(sqliteReaders)
	d := sqliteDialect(path, dsn)
	return newStore(newDatabase(d, write), newDatabase(d, read)), nil
}

func sqliteSource(path string, pragmas ...string) (string, error) {
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

// keepBefore copies the file of an older version.
func keepBefore(ctx context.Context, s *Store, path string, from int64, o Options) error {
	if from == 0 {
		return nil // a new file
	}
	aside := fmt.Sprintf("%s.version-%d-%s", path, from, o.Now().UTC().Format("20060102T150405.000Z"))
	if err := s.Backup(ctx, aside); err != nil {
		return fmt.Errorf("back up the database before its migration: %w", err)
	}
	o.Log.Info("the database was created by an older version: a copy was kept, delete it when everything works", "copy", aside)
	return nil
}

// sqliteSnapshot writes a copy while others read and write.
func sqliteSnapshot(ctx context.Context, dsn, path string) error {
	err := createPrivate(path, os.O_EXCL) // VACUUM INTO takes an empty file
	if errors.Is(err, fs.ErrExist) {
		return store.ErrExists
	}
	if err != nil {
		return err
	}
	if err := errors.Join(vacuumInto(ctx, dsn, path), syncFile(path)); err != nil {
		_ = os.Remove(path)
		return sqliteFault(err)
	}
	return nil
}

// sqliteScrub ends overwriteDeleted, and empties the log, which contains pages as they were. Readers
// of a long query may prevent that; the log is then overwritten later.
func sqliteScrub(ctx context.Context, d *database) {
	for _, statement := range []string{`PRAGMA secure_delete = OFF`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
		_, _ = d.pool.ExecContext(ctx, statement)
	}
}

// syncFile syncs the file, which VACUUM INTO leaves to the system.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// vacuumInto uses a separate connection: it only reads here, so that writers continue,
// but query_only forbids the copy as well.
func vacuumInto(ctx context.Context, dsn, path string) error {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, path)
	return errors.Join(err, db.Close())
}

// sqliteFault adds store.ErrUnavailable if SQLite itself could not work, so that a
// caller can distinguish a full disk from invalid data.
func sqliteFault(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	switch e.Code() & 0xff { // the primary code
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_NOMEM:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

func sqliteTaken(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) &&
		(e.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == lib.SQLITE_CONSTRAINT_UNIQUE)
}

// VerifySQLite returns an error if a file is not a database, is damaged, or was written
// by a newer version (store.ErrNewerStore). It changes nothing.
func VerifySQLite(ctx context.Context, path string) (err error) {
	dsn, err := sqliteSource(path, "query_only(1)")
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
	p, err := provider(sqliteDialect(path, dsn), db)
	if err != nil {
		return err
	}
	var current int64
	if err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&current); err != nil {
		return fmt.Errorf("this is not a collector's database: %w", err)
	}
	return notNewer(current, newest(p))
}
