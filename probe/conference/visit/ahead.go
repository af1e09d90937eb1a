package visit

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// ahead contains connections that were opened before the WebSockets that use them. On a line
// with long round trips this saves two round trips for each step that opens a WebSocket.
type ahead struct {
	address string
	opened  int
	left    atomic.Int32   // connections that have not been taken
	ready   chan *tls.Conn // receives each connection, or nil if it failed
	running guard.Group
	first   *event // the first call of OpenAhead has opened its connections
	ctx     context.Context
	stop    context.CancelFunc
}

// maxAhead is the maximum number of connections that one visit opens ahead.
const maxAhead = 5

// OpenAhead opens n connections to the server for the next WebSockets, unless a proxy is
// used. They begin TLS when the first request has been answered, and resume its session: that
// takes a third of the bytes of a full handshake. It must not be called by two goroutines at
// once.
func (v *Visit) OpenAhead(ctx context.Context, n int) {
	if v.URL.Scheme != "https" || v.ThroughProxy() {
		return
	}
	a := v.web.ahead.Load()
	if a == nil {
		a = &ahead{address: withPort(v.URL.Host), ready: make(chan *tls.Conn, maxAhead), first: newEvent()}
		a.ctx, a.stop = context.WithCancel(ctx)
		v.web.ahead.Store(a) // a step that began earlier may be opening a WebSocket now
	}
	if a.address != withPort(v.URL.Host) || a.opened+n > maxAhead {
		return
	}
	a.opened += n
	ctx = a.ctx
	a.left.Add(int32(n))
	var all guard.Group
	for range n {
		all.Go(func() { a.ready <- v.openOne(ctx, a.address) })
	}
	a.running.Go(func() {
		defer a.first.happen()
		all.Wait()
	})
}

// awaitAhead waits until the first connections opened ahead are ready, or have failed. It returns
// false if ctx is done before, or s is abandoned.
func (v *Visit) awaitAhead(ctx context.Context, s *Early) bool {
	a := v.web.ahead.Load()
	if a == nil {
		return true
	}
	select {
	case <-a.first.c:
		return true
	case <-s.never.c:
	case <-ctx.Done():
	}
	return false
}

// openOne opens one connection. It returns nil after a fault: the step that needs the
// connection tries again and reports the reason.
func (v *Visit) openOne(ctx context.Context, address string) *tls.Conn {
	dialling, cancel := context.WithTimeout(ctx, StepTime)
	defer cancel()
	raw, err := v.Env.Dial(dialling, "tcp", address) // sends next to nothing
	if err != nil {
		return nil
	}
	select {
	case <-v.web.answered.c:
	case <-ctx.Done():
		_ = raw.Close()
		return nil
	}
	pass, err := v.Env.Enter(ctx, PhaseRequests)
	defer pass.Leave()
	if err != nil {
		_ = raw.Close()
		return nil
	}
	encrypting, cancel := context.WithTimeout(ctx, StepTime)
	defer cancel()
	conn, err := v.encrypt(encrypting, raw, address)
	if err != nil {
		return nil
	}
	return conn
}

// ThroughProxy reports whether requests to the system use a proxy.
func (v *Visit) ThroughProxy() bool {
	if v.web.transport.Proxy == nil {
		return false
	}
	u, err := v.web.transport.Proxy(&http.Request{URL: v.URL})
	return u != nil || err != nil
}

// withPort returns the address to dial for the host of an https URL.
func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return host + ":443"
}

// take returns a connection that was opened ahead; nil if there is none.
func (a *ahead) take(ctx context.Context, address string) *tls.Conn {
	if a == nil || a.address != address || a.left.Add(-1) < 0 {
		return nil
	}
	select {
	case conn := <-a.ready:
		return conn
	case <-ctx.Done():
		a.left.Add(1) // so that close closes it
		return nil
	}
}

// close closes the connections that have not been taken.
func (a *ahead) close() {
	if a == nil {
		return
	}
	a.stop()
	a.running.Wait()
	for {
		select {
		case conn := <-a.ready:
			if conn != nil {
				_ = conn.Close()
			}
		default:
			return
		}
	}
}

// dialSocket returns the connection for a WebSocket.
func (v *Visit) dialSocket(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := v.web.ahead.Load().take(ctx, address); conn != nil {
		return conn, nil
	}
	return v.dialTLS(ctx, network, address)
}

// dialTLS opens a connection for HTTP/1.1.
func (v *Visit) dialTLS(ctx context.Context, network, address string) (*tls.Conn, error) {
	raw, err := v.Env.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return v.encrypt(ctx, raw, address)
}

// encrypt begins TLS on a connection to an address. It closes the connection after a fault.
func (v *Visit) encrypt(ctx context.Context, raw net.Conn, address string) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("connect to the conference server: %w", err)
	}
	config := v.web.tls.Clone()
	config.ServerName, config.NextProtos = host, []string{"http/1.1"}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}
