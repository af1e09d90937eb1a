package arrival

import (
	"net"
	"net/netip"
	"time"
)

// BatchPackets is the maximum number of packets per read. More would save little, and the last of a batch waits for the
// first.
const BatchPackets = 32

// packetBytes is sufficient for every packet of this program: [wire.MaxBytes] and all headers, or a flight of a DTLS
// handshake.
const packetBytes = 2048

// Packet is a packet read by a [Batch]. It is valid until the next read.
type Packet struct {
	Data []byte
	From netip.AddrPort
	At   time.Time // when the kernel received it, if known
}

// Batch reads many packets with one system call on Linux, and one by one elsewhere. It must be used by one goroutine.
type Batch struct {
	conn    *Conn
	packets [BatchPackets]Packet
	system  systemBatch
}

// NewBatch prepares conn. now must return a monotonic reading.
func NewBatch(conn *net.UDPConn, now func() time.Time) *Batch {
	b := &Batch{conn: Wrap(conn, nil, nil, now)}
	b.system.prepare(b.conn)
	return b
}

// Read waits for packets and returns them in order of arrival.
func (b *Batch) Read() ([]Packet, error) {
	n, err := b.system.read(b.conn, b.packets[:])
	return b.packets[:n], err
}

func canonical(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
