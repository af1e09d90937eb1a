package netbench

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"
)

// collectorInside is the collector's address for the box in front of it.
const collectorInside = "127.0.0.1:443"

// frontListener accepts HTTP connections and forwards TURN connections to the
// collector, which serves both on one port: the box modifies the collector's
// responses, but must not block a path.
type frontListener struct {
	net.Listener
	onward dial
}

// Accept implements net.Listener.
func (l *frontListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &frontConn{Conn: c, onward: l.onward}, nil
}

// frontConn examines its first byte on the first read, so that Accept does not wait
// for a slow client.
type frontConn struct {
	net.Conn
	onward dial
	once   sync.Once
	first  io.Reader
	turn   bool
}

// Read implements net.Conn. For package net/http a TURN connection ends when the
// forwarding has ended.
func (c *frontConn) Read(b []byte) (int, error) {
	c.once.Do(func() {
		first := make([]byte, 1)
		if _, err := io.ReadFull(c.Conn, first); err != nil {
			c.first = bytes.NewReader(nil)
			return
		}
		c.first = bytes.NewReader(first)
		c.turn = first[0] <= 0x03 // STUN (RFC 8489 §5); no HTTP method begins like that
		if c.turn {
			c.pass()
		}
	})
	if c.turn {
		return 0, io.EOF
	}
	if n, err := c.first.Read(b); err == nil {
		return n, nil
	}
	return c.Conn.Read(b)
}

// pass forwards the connection to the collector until one side closes it.
func (c *frontConn) pass() {
	_ = c.SetDeadline(time.Time{})
	raw, err := c.onward(context.Background(), "tcp", collectorInside)
	if err != nil {
		return
	}
	inside := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: ServerName})
	defer inside.Close()
	go func() {
		_, _ = io.Copy(inside, io.MultiReader(c.first, c.Conn))
		_ = inside.Close()
	}()
	_, _ = io.Copy(c.Conn, inside)
	_ = c.Conn.Close()
}
