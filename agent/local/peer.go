package local

import "net"

// Peer is the account at the other end of a connection, as the system reports it.
type Peer struct {
	// Account identifies the account on this machine.
	Account string
	// Person means that the account may use the service: it belongs to somebody who is
	// signed in, or to an administrator.
	Person bool
	Admin  bool
}

// peerConn is a connection whose peer is known.
type peerConn struct {
	net.Conn
	peer Peer
	gone func()
}

// Close implements net.Conn.
func (c *peerConn) Close() error {
	c.gone()
	return c.Conn.Close()
}
