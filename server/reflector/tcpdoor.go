package reflector

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// frameBytes is the maximum length of a frame over TCP.
const frameBytes = 2048

// serveTCP accepts connections of ICE over TCP (RFC 6544): packets preceded by their length
// (RFC 4571 §2).
func (m *mediaPort) serveTCP(now func() time.Time) {
	for {
		conn, err := m.tcp.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of file descriptors: wait until some are closed
			continue
		}
		m.mu.Lock()
		if m.closed {
			m.mu.Unlock()
			_ = conn.Close()
			return
		}
		m.conns[conn] = struct{}{}
		m.mu.Unlock()
		m.work.Go(func() {
			m.serveConn(conn, now)
			_ = conn.Close()
			m.mu.Lock()
			delete(m.conns, conn)
			m.mu.Unlock()
		})
	}
}

func (m *mediaPort) serveConn(conn net.Conn, now func() time.Time) {
	from := addrPortOf(conn.RemoteAddr())
	in := bufio.NewReaderSize(conn, frameBytes)
	buf, scratch := make([]byte, frameBytes), make([]byte, 0, echoBytes)
	var p *path
	for {
		b, err := readFrame(in, buf)
		if err != nil {
			return
		}
		switch {
		case kindOf(b) == kindSTUN:
			c, ok := m.readCheck(b, from)
			if !ok || p != nil && p.session != c.session {
				return // one session per connection
			}
			if p == nil {
				if p = newTCPPath(conn, c.session); !c.session.addPath(p) {
					return
				}
			}
			if p.write(c.answer) != nil {
				return
			}
			c.session.checked(p, c.nominated)
		case p == nil:
			return // no response without a valid password
		default:
			p.arrive(b, now(), scratch, atOnce{})
		}
	}
}

func readFrame(in io.Reader, buf []byte) ([]byte, error) {
	if _, err := io.ReadFull(in, buf[:2]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(buf))
	if n > len(buf) {
		return nil, errors.New("frame too long")
	}
	_, err := io.ReadFull(in, buf[:n])
	return buf[:n], err
}

func newTCPPath(conn net.Conn, s *session) *path {
	var mu sync.Mutex
	frame := make([]byte, 0, frameBytes)
	return &path{
		session: s, remote: conn.RemoteAddr(),
		close: func() { _ = conn.Close() },
		write: func(b []byte) error {
			mu.Lock()
			defer mu.Unlock()
			frame = append(binary.BigEndian.AppendUint16(frame[:0], uint16(len(b))), b...)
			_, err := conn.Write(frame)
			return err
		},
	}
}
