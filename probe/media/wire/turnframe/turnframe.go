// Package turnframe gives the TURN library whole messages of bounded length only,
// on the side of the server and on that of the client.
//
// Over TCP the library keeps whatever comes until the declared length is there, up
// to 64 kB; and a length near 65,535 makes it add up to a message of zero bytes,
// which it then reads for ever without looking at the connection again, even when
// that is closed.
package turnframe

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// MaxBytes is the longest message that is taken: one byte less than what the
// library's server reads at once.
const MaxBytes = 1599

// ErrFrame says that what came is no message of STUN or TURN, or too long a one.
var ErrFrame = errors.New("no message of STUN or TURN, or too long a one")

// Conn reads messages. Each call of Read returns one, and needs room for MaxBytes+1.
type Conn struct{ net.Conn }

// Read implements net.Conn. A connection that breaks the form is closed.
func (c Conn) Read(b []byte) (int, error) {
	if len(b) <= MaxBytes {
		return 0, io.ErrShortBuffer
	}
	if _, err := io.ReadFull(c.Conn, b[:4]); err != nil {
		return 0, err
	}
	n, err := length([4]byte(b))
	if err != nil {
		_ = c.Conn.Close()
		return 0, err
	}
	if _, err := io.ReadFull(c.Conn, b[4:n]); err != nil {
		return 0, err
	}
	return n, nil
}

// length is that of the message that begins so, of STUN (RFC 8489 §5) or
// ChannelData, which over TCP is padded (RFC 8656 §12.5).
func length(head [4]byte) (int, error) {
	declared := int(binary.BigEndian.Uint16(head[2:]))
	var n int
	switch {
	case head[0]&0xc0 == 0 && declared%4 == 0:
		n = 20 + declared
	case head[0] >= 0x40 && head[0] <= 0x4f:
		n = 4 + (declared+3)&^3
	default:
		return 0, ErrFrame
	}
	if n > MaxBytes {
		return 0, ErrFrame
	}
	return n, nil
}

// Listener accepts connections that read messages.
type Listener struct{ net.Listener }

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Conn{c}, nil
}
