package media

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
)

// relayGate keeps relays from being asked for permissions until it is opened. It
// is what puts the ways in order (see awaitPath).
//
// The TURN client waits for each permission inside of the call that sends the
// first packet, and the ICE library makes that call on the one goroutine on which
// it also takes in answers: with three relays and two addresses of the server a
// direct way that was answered long ago stays unused for six round trips, on a
// narrow or far line for seconds. A check that is refused is repeated.
type relayGate struct{ open atomic.Bool }

var errGateShut = errors.New("the relays' turn has not come")

// createPermission is the type of the request (RFC 8656 §17).
const createPermission = 0x0008

// admits says whether b may be sent. Over TCP, too, a message begins with the write.
func (g *relayGate) admits(b []byte) bool {
	return g.open.Load() || len(b) < 2 || binary.BigEndian.Uint16(b) != createPermission
}

// gatedPackets is a relay's socket over UDP.
type gatedPackets struct {
	net.PacketConn
	gate *relayGate
}

// WriteTo implements net.PacketConn.
func (c gatedPackets) WriteTo(b []byte, to net.Addr) (int, error) {
	if !c.gate.admits(b) {
		return 0, errGateShut
	}
	return c.PacketConn.WriteTo(b, to)
}

// gatedConn is a relay's connection over TCP or TLS.
type gatedConn struct {
	net.Conn
	gate *relayGate
}

// Write implements net.Conn.
func (c gatedConn) Write(b []byte) (int, error) {
	if !c.gate.admits(b) {
		return 0, errGateShut
	}
	return c.Conn.Write(b)
}
