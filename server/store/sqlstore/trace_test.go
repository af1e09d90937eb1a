package sqlstore

import (
	"context"
	"database/sql/driver"
	"sync"
)

// tracer is a connector whose connections record the statements that are sent over them.
type tracer struct {
	driver.Connector
	mu    sync.Mutex
	texts map[string][]driver.NamedValue // the latest parameters of each statement
}

func (t *tracer) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := t.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &tracedConn{c, t}, nil
}

func (t *tracer) note(text string, args []driver.NamedValue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.texts[text] = append([]driver.NamedValue(nil), args...)
}

// tracedConn implements the optional interfaces of both drivers.
type tracedConn struct {
	driver.Conn
	tracer *tracer
}

func (c *tracedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

func (c *tracedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.tracer.note(text, args)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
}

func (c *tracedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.tracer.note(text, args)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
}

// CheckNamedValue leaves the conversion of values to database/sql.
func (c *tracedConn) CheckNamedValue(*driver.NamedValue) error { return driver.ErrSkip }
