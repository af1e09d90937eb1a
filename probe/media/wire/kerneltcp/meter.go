package kerneltcp

import "net"

// Meter counts the data that arrives on a connection. Unlike the bytes that a program
// can read, it includes segments that wait for a lost one, so its rate remains that of
// the line during a loss recovery. It is not safe for concurrent use.
type Meter struct {
	conn net.Conn
	last count
}

// count is the state of the kernel's counters.
type count struct {
	inOrder      int64 // bytes that are available to the program, read or not
	segments     uint32
	segmentBytes int64 // 0: segments have no usual size
}

// NewMeter counts from now on. ok is false if the kernel does not provide the counters.
func NewMeter(conn net.Conn) (m *Meter, ok bool) {
	m = &Meter{conn: conn}
	m.last, ok = counters(conn)
	return m, ok
}

// Take returns the bytes that have arrived since the last call, TLS included. It
// returns 0 on a closed connection.
func (m *Meter) Take() int64 {
	now, ok := counters(m.conn)
	if !ok {
		return 0
	}
	n := now.since(m.last)
	m.last = now
	return n
}

func (c count) since(before count) int64 {
	if c.segmentBytes == 0 || c.segments == 0 { // loopback; Linux before 4.6
		return max(0, c.inOrder-before.inOrder)
	}
	return int64(c.segments-before.segments) * c.segmentBytes // wraps around as the counter does
}
