//go:build linux

package arrival

import (
	"net"

	"golang.org/x/net/ipv4"
)

// systemBatch reads with recvmmsg(2). Package ipv4 only provides the call, which supports IPv6 sockets as well.
type systemBatch struct {
	conn     *ipv4.PacketConn
	messages [BatchPackets]ipv4.Message
}

func (s *systemBatch) prepare(c *Conn) {
	s.conn = ipv4.NewPacketConn(c.UDPConn)
	for i := range s.messages {
		s.messages[i].Buffers = [][]byte{make([]byte, packetBytes)}
		s.messages[i].OOB = make([]byte, len(c.oob))
	}
}

func (s *systemBatch) read(c *Conn, to []Packet) (int, error) {
	n, err := s.conn.ReadBatch(s.messages[:], 0)
	if err != nil {
		return 0, err
	}
	now := c.now()
	for i := range n {
		m := &s.messages[i]
		to[i] = Packet{Data: m.Buffers[0][:m.N], At: c.arrived(m.OOB[:m.NN], now)}
		if from, ok := m.Addr.(*net.UDPAddr); ok {
			to[i].From = canonical(from.AddrPort())
		}
	}
	return n, nil
}
