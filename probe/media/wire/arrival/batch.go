package arrival

import (
	"net"
	"net/netip"
	"time"
)

// BatchPackets is how many packets one read may bring. More would save little,
// and the last of a batch waits for the first.
const BatchPackets = 32

// packetBytes holds every packet of this program: [wire.MaxBytes] and all
// headers, or a flight of a DTLS handshake.
const packetBytes = 2048

// Packet is one packet a [Batch] read. It is valid until the next read.
type Packet struct {
	Data []byte
	From netip.AddrPort
	At   time.Time // when the kernel took it in, where it says so
}

// Batch reads many packets with one system call where the system can (Linux),
// and one by one elsewhere. One goroutine may use it.
type Batch struct {
	conn    *Conn
	packets [BatchPackets]Packet
	system  systemBatch
}

// NewBatch makes conn ready. now must carry a monotonic reading.
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
