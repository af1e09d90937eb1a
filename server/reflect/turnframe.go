package reflect

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// turnFrameBytes is the longest message of TURN taken over TCP, as over UDP: one
// byte less than what the TURN library reads at once.
const turnFrameBytes = 1599

var errTURNFrame = errors.New("no message of STUN or TURN, or too long a one")

// turnListener gives the TURN library whole messages of bounded length only. The
// library itself keeps whatever comes until the declared length is there, up to
// 64 kB; and a length near 65,535 makes it add up to a message of zero bytes,
// which it then reads for ever.
type turnListener struct{ net.Listener }

// Accept implements net.Listener.
func (l turnListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &turnFrames{Conn: c}, nil
}

type turnFrames struct{ net.Conn }

// Read reads one message into b, which has room for the longest.
func (c *turnFrames) Read(b []byte) (int, error) {
	if len(b) <= turnFrameBytes {
		return 0, io.ErrShortBuffer
	}
	if _, err := io.ReadFull(c.Conn, b[:4]); err != nil {
		return 0, err
	}
	n, err := turnFrameLength([4]byte(b))
	if err != nil {
		_ = c.Conn.Close()
		return 0, err
	}
	if _, err := io.ReadFull(c.Conn, b[4:n]); err != nil {
		return 0, err
	}
	return n, nil
}

// turnFrameLength is the length of the message that begins so, of STUN (RFC 8489
// §5) or ChannelData, which over TCP is padded (RFC 8656 §12.5).
func turnFrameLength(head [4]byte) (int, error) {
	declared := int(binary.BigEndian.Uint16(head[2:]))
	var n int
	switch {
	case head[0]&0xc0 == 0 && declared%4 == 0:
		n = 20 + declared
	case head[0] >= 0x40 && head[0] <= 0x4f:
		n = 4 + (declared+3)&^3
	default:
		return 0, errTURNFrame
	}
	if n > turnFrameBytes {
		return 0, errTURNFrame
	}
	return n, nil
}
