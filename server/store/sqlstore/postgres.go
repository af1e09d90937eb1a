package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/tonprobe/tonprobe/server/store"
)

var (
	// ErrDatabaseURL means that the address of a database cannot be used.
	ErrDatabaseURL = errors.New("the address of the database is invalid: write postgres://user@host:5432/database")
	// ErrPostgresSettings means that a PostgreSQL server or database is not suitable.
	ErrPostgresSettings = errors.New("this PostgreSQL database cannot be used")
)

// postgresFolder contains the migrations.
const postgresFolder = "postgres"

const (
	postgresConnections = 16
	connectTimeout      = 5 * time.Second
	// oldestPostgres is the oldest version that was supported when this was written.
	oldestPostgres = 13
)

// migrationLock is the key of the advisory lock under which the tables change:
// "tonprobe" in ASCII. Advisory locks are separate for each database.
const migrationLock = 0x746f6e70726f6265

// sessionSettings are set on each connection. A response promises that a report is on
// disk, so a commit must wait for it, whatever the server's default is; a setting that
// waits for more, such as remote_apply, is kept. The time limits release the locks of a
// collector that disappeared from the network during a transaction, which TCP would
// detect after hours.
const sessionSettings = `SELECT
	set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),
	set_config('idle_in_transaction_session_timeout', '30s', false),
	set_config('lock_timeout', '15s', false)`

// OpenPostgres connects to a database of PostgreSQL and brings its tables up to
// date. The address is a URL as of libpq; what it leaves out, such as the password,
// is taken from the variables and the password file of libpq. No error repeats the
// address, which may hold a password.
//
// store.ErrUnavailable says that the server does not answer or cannot work at the
// moment: the same call may succeed later. Afterwards the store connects again by
// itself.
func OpenPostgres(ctx context.Context, address string, o Options) (*Store, error) {
	o = o.withDefaults()
	config, err := postgresConfig(address)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sessionSettings)
		return err
	}))
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(30 * time.Minute) // so that connections to a replaced server end
	d := newDatabase(postgresDialect(address, pool), pool)
	s := newStore(d, d)
	err = checkPostgres(ctx, d, o)
	if err == nil {
		err = s.migrate(ctx, o, func(int64) error { return nil })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", config.Database, d.fault(err)), s.Close())
	}
	return s, nil
}

// ConnectPostgres returns a connection to a database of OpenPostgres, beside those of the store. The
// caller closes it.
func ConnectPostgres(ctx context.Context, address string) (*pgx.Conn, error) {
	config, err := postgresConfig(address)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ConnectConfig(ctx, config)
	return c, postgresFault(err)
}

func postgresConfig(address string) (*pgx.ConnConfig, error) {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return nil, ErrDatabaseURL
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, ErrDatabaseURL // err may repeat the password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = applicationName
	}
	// A server that is disconnected from the network sends nothing.
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	config.DialFunc = dialer.DialContext
	return config, nil
}

func postgresDialect(address string, pool *sql.DB) *dialect {
	return &dialect{
		folder: postgresFolder, goose: goose.DialectPostgres, numbered: true, lanes: 2, connections: postgresConnections,
		lockLatest: " FOR UPDATE OF l", lockAgents: " FOR UPDATE OF a", lockBoth: " FOR UPDATE OF l, a", lockCases: " FOR UPDATE OF c", lockStaff: " FOR UPDATE",
		skipLocked: " FOR UPDATE SKIP LOCKED",
		fault:      postgresFault,
		taken:      func(err error) bool { return postgresCode(err) == "23505" }, // unique_violation
		again:      func(err error) bool { c := postgresCode(err); return c == "40001" || c == "40P01" },
		ended:      postgresEnded,
		migrating:  func(ctx context.Context, f func() error) error { return alone(ctx, pool, f) },
		writable:   postgresWritable,
		snapshot:   func(ctx context.Context, path string) error { return postgresDump(ctx, address, path) },

		lockParticipants: " FOR UPDATE OF p", shareParticipants: " FOR KEY SHARE OF p", shareReports: " FOR KEY SHARE OF r",
		scrub: func(context.Context, *database) {}, // autovacuum does
	}
}

// checkPostgres returns ErrPostgresSettings if the server or the database is not
// suitable, and logs dangerous settings.
func checkPostgres(ctx context.Context, d *database, o Options) error {
	var version int
	var encoding, fsync string
	var collector bool
	err := d.row(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('fsync'),
		to_regclass('goose_db_version') IS NOT NULL`).Scan(&version, &encoding, &fsync, &collector)
	switch {
	case err != nil:
		return err
	case version < oldestPostgres*10_000:
		return fmt.Errorf("%w: it is version %d, and has to be %d or newer", ErrPostgresSettings, version/10_000, oldestPostgres)
	case encoding != "UTF8":
		return fmt.Errorf("%w: its encoding is %s: create it with ENCODING 'UTF8' TEMPLATE template0", ErrPostgresSettings, encoding)
	case o.Existing && !collector:
		return fmt.Errorf("%w: is it the right one? 'tonprobe-collector serve' or 'migrate' creates the tables", ErrNoCollector)
	}
	if fsync == "off" {
		o.Log.Warn("the PostgreSQL server runs with fsync off: a power failure can lose reports that were acknowledged")
	}
	return nil
}

// alone runs f while no other process holds the lock. The lock is released with its
// connection, however that ends.
func alone(ctx context.Context, pool *sql.DB, f func() error) error {
	c, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return fmt.Errorf("wait for others who migrate: %w", err)
	}
	result := f()
	if _, err := c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock)); err != nil {
		return errors.Join(result, fmt.Errorf("let others migrate: %w", err))
	}
	return result
}

func postgresWritable(ctx context.Context, d *database) error {
	var readOnly bool
	err := d.row(ctx, `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool`).Scan(&readOnly)
	if err == nil && readOnly {
		err = fmt.Errorf("%w: it is read-only, or a standby", store.ErrUnavailable)
	}
	return err
}

// postgresCode returns the SQLSTATE of an error; "" if the server did not respond.
func postgresCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// postgresFault adds store.ErrUnavailable if the server cannot be reached or could not
// work, so that a caller can distinguish a full disk from invalid data.
func postgresFault(err error) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) {
		return err
	}
	if code := postgresCode(err); code != "" {
		if postgresUnavailable(code) {
			return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
		}
		return err
	}
	// Before the contexts: a connect timeout is one as well.
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting || broken(err) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

// broken recognises the error of a connection that has ended without a message.
func broken(err error) bool {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, driver.ErrBadConn), pgconn.SafeToRetry(err):
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok
}

// postgresEnded reports whether the server or the network has ended the session, so that
// another connection may work. A server that ends a session during a statement undoes it,
// and answers with one of these codes instead of the result; without an answer the
// statement may have had its effect.
func postgresEnded(err error, harmless bool) bool {
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return false
	}
	switch postgresCode(err) {
	case "57P01", "57P02", "57P05": // admin_shutdown, crash_shutdown, idle_session_timeout
		return true
	case "":
		return pgconn.SafeToRetry(err) || harmless && broken(err)
	}
	return false
}

// postgresUnavailable reports whether a SQLSTATE means that the server cannot work at
// the moment (PostgreSQL manual, appendix A).
func postgresUnavailable(code string) bool {
	switch code {
	case "25006", // read_only_sql_transaction: a standby, or a switch of the administrator
		"55P03", // lock_not_available, by lock_timeout
		"25P03": // idle_in_transaction_session_timeout
		return true
	}
	switch code[:2] {
	case "08", // connection exception
		"53", // insufficient resources: disk full, out of memory, too many connections
		"57", // operator intervention: shutdown, crash, starting up, cancelled
		"58": // system error: I/O
		return true
	}
	return false
}
