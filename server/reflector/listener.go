package reflector

import (
	"net"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
)

// boundedListener limits the number of open connections, in total and for each client site,
// and closes those that are silent or old. Connections must not be cheaper for an attacker
// than for us, and must not block other clients.
type boundedListener struct {
	net.Listener
	places *limit.Connections
	idle   time.Duration
	life   time.Duration
}

func newBoundedListener(l net.Listener, limits Limits) *boundedListener {
	return &boundedListener{
		Listener: l, places: limit.NewConnections(limits.TCPConns, limits.TCPConnsPerSite), idle: limits.TCPIdle,
		// No allocation or echo session lives longer, so occasional bytes do not keep a connection
		// open indefinitely.
		life: limits.RelayLifetime + limits.TCPIdle,
	}
}

// Accept closes connections above the limit at once instead of leaving them in the backlog, so
// that a client tries its next path without waiting.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		leave, ok := l.places.Enter(conn, limit.Peer(conn))
		if !ok {
			_ = conn.Close()
			continue
		}
		return &boundedConn{Conn: conn, idle: l.idle, end: time.Now().Add(l.life), leave: sync.OnceFunc(leave)}, nil
	}
}

type boundedConn struct {
	net.Conn
	idle  time.Duration
	end   time.Time
	leave func()
}

func (c *boundedConn) Read(b []byte) (int, error) {
	deadline := time.Now().Add(c.idle)
	if c.end.Before(deadline) {
		deadline = c.end
	}
	if err := c.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write gives up on a client that does not read, because the echo of all others must not wait
// for it.
func (c *boundedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		// Part of a frame may have been sent, so nothing after it could be decoded.
		_ = c.Conn.Close()
	}
	return n, err
}

func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
