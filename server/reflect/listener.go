package reflect

import (
	"net"
	"sync"
	"time"
)

// boundedListener keeps at most cap(places) connections open and closes those
// that fall silent, so that connecting costs an attacker more than us.
type boundedListener struct {
	net.Listener
	places chan struct{}
	idle   time.Duration
}

func newBoundedListener(l net.Listener, conns int, idle time.Duration) *boundedListener {
	return &boundedListener{Listener: l, places: make(chan struct{}, conns), idle: idle}
}

// Accept closes connections over the limit at once instead of leaving them in
// the backlog: a client then tries its next path without waiting.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &boundedConn{Conn: conn, idle: l.idle, leave: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = conn.Close()
		}
	}
}

type boundedConn struct {
	net.Conn
	idle  time.Duration
	leave func()
}

func (c *boundedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write gives up on a client that does not read: the echo of everyone else
// must not wait for it.
func (c *boundedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		// Half a frame may be out: nothing after it would be understood.
		_ = c.Conn.Close()
	}
	return n, err
}

func (c *boundedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
