//go:build !linux

package arrival

// systemBatch reads one packet at a time.
type systemBatch struct{ buf [packetBytes]byte }

func (*systemBatch) prepare(*Conn) {}

func (s *systemBatch) read(c *Conn, to []Packet) (int, error) {
	n, from, err := c.UDPConn.ReadFromUDPAddrPort(s.buf[:])
	if err != nil {
		return 0, err
	}
	to[0] = Packet{Data: s.buf[:n], From: canonical(from), At: c.now()}
	return 1, nil
}
