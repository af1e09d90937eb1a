// Package turnframe limits the length of the messages that the TURN library reads over TCP, on the server and on the client.
//
// The library buffers up to 64 kB until the declared length has arrived. With a length near 65,535, its addition overflows to
// a message of zero bytes, which it then reads in an endless loop without noticing that the connection is closed.
package turnframe

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// MaxBytes is the maximum length of a message: one byte less than the read size of the library's server.
const MaxBytes = 1599

// ErrFrame means that the input is not a valid STUN or TURN message, or too long.
var ErrFrame = errors.New("not a valid STUN or TURN message, or too long")

// Conn reads messages. Each Read returns one message and requires a buffer of MaxBytes+1.
type Conn struct{ net.Conn }

// Read implements net.Conn. It closes a connection with invalid framing.
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

// length returns the length of a message from its first bytes, for STUN (RFC 8489 §5) or ChannelData, which is padded over TCP
// (RFC 8656 §12.5).
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
