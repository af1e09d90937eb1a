package oneport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// branch is the listener of one protocol.
type branch struct {
	port  *Port
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newBranch(p *Port) *branch {
	return &branch{port: p, conns: make(chan net.Conn), done: make(chan struct{})}
}

// give passes a connection on, or closes it if nobody accepts any more.
func (b *branch) give(c net.Conn) {
	select {
	case b.conns <- c:
	case <-b.done:
		_ = c.Close()
	}
}

func (b *branch) shut() { b.once.Do(func() { close(b.done) }) }

// Accept implements net.Listener.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case c := <-b.conns:
		return c, nil
	case <-b.done:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: b.Addr(), Err: net.ErrClosed}
	}
}

// Close implements net.Listener.
func (b *branch) Close() error { b.shut(); return nil }

// Addr implements net.Listener.
func (b *branch) Addr() net.Addr { return b.port.tcp.Addr() }

// httpListener frees the TCP port when it is closed, as http.Server.Shutdown expects.
type httpListener struct{ *branch }

// Close implements net.Listener.
func (l httpListener) Close() error {
	l.shut()
	return l.port.tcp.Close()
}

// countedConn releases its place when it is closed.
type countedConn struct {
	net.Conn
	end func() // may be called more than once
}

// NetConn returns the connection below, as that of *tls.Conn does.
func (c *countedConn) NetConn() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.end()
	return c.Conn.Close()
}

// readAhead is a connection whose first bytes have been read.
type readAhead struct {
	*tls.Conn
	first []byte
}

// Read implements net.Conn. The caller of Accept is the only one that reads.
func (c *readAhead) Read(b []byte) (int, error) {
	if len(c.first) == 0 || len(b) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.first)
	c.first = c.first[n:]
	return n, nil
}

// stateKey is the context key of the TLS state of [ConnContext], tcpKey that of the
// connection.
type (
	stateKey struct{}
	tcpKey   struct{}
)

// ConnContext is for http.Server.ConnContext. It enables [WithState] to find the TLS
// state, which package net/http takes from a *tls.Conn only, and [TCP] to find the
// connection.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	ctx = context.WithValue(ctx, tcpKey{}, below(c))
	if u, ok := c.(interface{ Unwrap() net.Conn }); ok {
		c = u.Unwrap()
	}
	if r, ok := c.(*readAhead); ok {
		s := r.ConnectionState()
		return context.WithValue(ctx, stateKey{}, &s)
	}
	return ctx
}

// TCP returns the TCP connection, below TLS, of a request's context; nil if the server
// does not use [ConnContext].
func TCP(ctx context.Context) net.Conn {
	c, _ := ctx.Value(tcpKey{}).(net.Conn)
	return c
}

// below returns the innermost connection.
func below(c net.Conn) net.Conn {
	for {
		switch u := c.(type) {
		case interface{ Unwrap() net.Conn }:
			c = u.Unwrap()
		case interface{ NetConn() net.Conn }:
			c = u.NetConn()
		default:
			return c
		}
	}
}

// WithState sets the TLS state of requests for which package net/http has none.
func WithState(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := r.Context().Value(stateKey{}).(*tls.ConnectionState); ok && r.TLS == nil {
			r = r.WithContext(r.Context()) // a copy: the request belongs to the server
			r.TLS = s
		}
		next.ServeHTTP(w, r)
	})
}
