package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tonprobe/tonprobe/server/store"
)

// maxPrepared limits the statements that stay prepared. The texts of searches vary with
// the number of their words.
const maxPrepared = 256

// database is a pool of connections, with the statements prepared on them.
type database struct {
	*dialect
	pool *sql.DB

	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

func newDatabase(d *dialect, pool *sql.DB) *database {
	return &database{dialect: d, pool: pool, prepared: map[string]*sql.Stmt{}}
}

// preparable reports whether a statement may be kept prepared. SQLite carries out some PRAGMAs when
// they are compiled, so that a prepared one has an effect only once.
func preparable(text string) bool { return !strings.HasPrefix(text, "PRAGMA") }

// statement is nil if the text must be sent as it is.
func (d *database) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if !d.keepPrepared || !preparable(text) {
		return nil, nil
	}
	d.mu.RLock()
	s, full := d.prepared[text], len(d.prepared) >= maxPrepared
	d.mu.RUnlock()
	if s != nil || full {
		return s, nil
	}
	made, err := d.pool.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.prepared[text]; s != nil { // another goroutine was faster
		return s, made.Close()
	}
	d.prepared[text] = made
	return made, nil
}

func (d *database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, s := range d.prepared {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, d.pool.Close())...)
}

// runner runs statements, in a transaction or outside. Errors of its methods and of
// their results include store.ErrUnavailable if the database could not work, and
// store.ErrNotFound if there is no row.
type runner interface {
	exec(ctx context.Context, statement string, args ...any) (rows int64, err error)
	query(ctx context.Context, statement string, args ...any) (*resultRows, error)
	row(ctx context.Context, statement string, args ...any) scanner
}

type scanner interface{ Scan(dest ...any) error }

func (d *database) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	s, err := d.statement(ctx, statement)
	if err != nil {
		return 0, d.fault(err)
	}
	if s != nil {
		return d.affected(s.ExecContext(ctx, d.args(args)...))
	}
	var r sql.Result
	err = d.onLive(false, func() (err error) {
		r, err = d.pool.ExecContext(ctx, d.bind(statement), d.args(args)...)
		return err
	})
	return d.affected(r, err)
}

// onLive runs f again if the connection that it was given had ended, until it gets another
// one. A server that ends its sessions leaves their connections in the pool, where each is
// detected at its next use. harmless means that f may run twice.
func (d *database) onLive(harmless bool, f func() error) error {
	err := f()
	for n := 0; n < d.connections && err != nil && d.ended(err, harmless); n++ {
		err = f()
	}
	return err
}

// reads reports whether a statement changes nothing.
func reads(statement string) bool {
	return strings.HasPrefix(strings.TrimSpace(statement), "SELECT")
}

func (d *dialect) affected(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, d.fault(err)
	}
	return r.RowsAffected()
}

func (d *database) query(ctx context.Context, statement string, args ...any) (*resultRows, error) {
	s, err := d.statement(ctx, statement)
	if err != nil {
		return nil, d.fault(err)
	}
	if s != nil {
		return d.result(s.QueryContext(ctx, d.args(args)...))
	}
	var rows *sql.Rows
	err = d.onLive(reads(statement), func() (err error) {
		rows, err = d.pool.QueryContext(ctx, d.bind(statement), d.args(args)...)
		return err
	})
	return d.result(rows, err)
}

func (d *database) row(ctx context.Context, statement string, args ...any) scanner {
	s, err := d.statement(ctx, statement)
	if err != nil {
		return resultRow{dialect: d.dialect, err: err}
	}
	if s != nil {
		return resultRow{dialect: d.dialect, row: s.QueryRowContext(ctx, d.args(args)...)}
	}
	var row *sql.Row
	_ = d.onLive(reads(statement), func() error { // Scan returns the error
		row = d.pool.QueryRowContext(ctx, d.bind(statement), d.args(args)...)
		return row.Err()
	})
	return resultRow{dialect: d.dialect, row: row}
}

// transaction runs statements in one transaction.
type transaction struct {
	*database
	tx *sql.Tx
	// unprepared contains texts to prepare for the next transactions. Preparing one
	// here would wait for a second connection, which SQLite's writer does not have.
	unprepared []string
}

func (t *transaction) exec(ctx context.Context, statement string, args ...any) (int64, error) {
	if s := t.known(statement); s != nil {
		return t.affected(t.tx.StmtContext(ctx, s).ExecContext(ctx, t.args(args)...))
	}
	return t.affected(t.tx.ExecContext(ctx, t.bind(statement), t.args(args)...))
}

func (t *transaction) query(ctx context.Context, statement string, args ...any) (*resultRows, error) {
	if s := t.known(statement); s != nil {
		return t.result(t.tx.StmtContext(ctx, s).QueryContext(ctx, t.args(args)...))
	}
	return t.result(t.tx.QueryContext(ctx, t.bind(statement), t.args(args)...))
}

func (t *transaction) row(ctx context.Context, statement string, args ...any) scanner {
	if s := t.known(statement); s != nil {
		return resultRow{dialect: t.dialect, row: t.tx.StmtContext(ctx, s).QueryRowContext(ctx, t.args(args)...)}
	}
	return resultRow{dialect: t.dialect, row: t.tx.QueryRowContext(ctx, t.bind(statement), t.args(args)...)}
}

// known returns a statement that is already prepared.
func (t *transaction) known(text string) *sql.Stmt {
	if !t.keepPrepared || !preparable(text) {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.prepared[text]
	if s == nil && len(t.prepared) < maxPrepared {
		t.unprepared = append(t.unprepared, text)
	}
	return s
}

// inTx runs f in a transaction. In SQLite it holds the write lock from the start, so
// that it need not be rolled back for a competing writer; PostgreSQL may roll it back,
// and f then runs again, as it does if the connection ends before the commit.
func (d *database) inTx(ctx context.Context, f func(runner) error) error {
	const attempts = 5
	var err error
	for range attempts {
		if err = d.once(ctx, f); err == nil || !d.again(err) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

func (d *database) once(ctx context.Context, f func(runner) error) error {
	var t *transaction
	err := d.onLive(true, func() error {
		tx, err := d.pool.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin: %w", d.fault(err))
		}
		t = &transaction{database: d, tx: tx}
		if err := f(t); err != nil {
			if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
				return errors.Join(err, d.fault(undo))
			}
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := t.tx.Commit(); err != nil { // not repeated: it may have happened
		return fmt.Errorf("commit: %w", d.fault(err))
	}
	for _, text := range t.unprepared {
		_, _ = d.statement(ctx, text) // a statement that cannot be prepared is sent as text
	}
	return nil
}

// resultRow is one row with the errors of runner.
type resultRow struct {
	*dialect
	row *sql.Row
	err error
}

func (r resultRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.fault(r.err)
	}
	err := r.row.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return r.fault(err)
}

// resultRows are rows with the errors of runner.
type resultRows struct {
	*sql.Rows
	*dialect
}

func (d *dialect) result(rows *sql.Rows, err error) (*resultRows, error) {
	if err != nil {
		return nil, d.fault(err)
	}
	return &resultRows{rows, d}, nil
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, r runner, scan func(scanner) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := r.query(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, rows.fault(err)
		}
		list = append(list, one)
	}
	return list, rows.fault(rows.Err())
}

// oneRow returns ErrNotFound if a statement affected no row.
func oneRow(rows int64, err error) error {
	if err == nil && rows == 0 {
		return store.ErrNotFound
	}
	return err
}
