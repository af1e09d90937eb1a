package media

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
)

// relayGate prevents requests for permissions to relays until it is opened. It
// enforces the order of the paths (see awaitPath).
//
// The TURN client waits for each permission within the call that sends the first
// packet, and the ICE library makes that call on the goroutine that also receives
// responses. With three relays and two addresses of the server, a direct path that
// was confirmed long ago would remain unused for six round trips, which takes
// seconds on a slow or distant line. A refused check is repeated.
type relayGate struct{ open atomic.Bool }

var errGateClosed = errors.New("the relays are not tried yet")

// createPermission is the type of the request (RFC 8656 §17).
const createPermission = 0x0008

// admits reports whether b may be sent. Over TCP, too, each write begins with a
// message.
func (g *relayGate) admits(b []byte) bool {
	return g.open.Load() || len(b) < 2 || binary.BigEndian.Uint16(b) != createPermission
}

// gatedPackets is the UDP socket of a relay.
type gatedPackets struct {
	net.PacketConn
	gate *relayGate
}

// WriteTo implements net.PacketConn.
func (c gatedPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	if !c.gate.admits(b) {
		return 0, errGateClosed
	}
	return c.PacketConn.WriteTo(b, to)
}

// gatedConn is a TCP or TLS connection to a relay.
type gatedConn struct {
	net.Conn
	gate *relayGate
}

// Write implements net.Conn.
func (c gatedConn) Write(b []byte) (int, error) {
	if !c.gate.admits(b) {
		return 0, errGateClosed
	}
	return c.Conn.Write(b)
}
