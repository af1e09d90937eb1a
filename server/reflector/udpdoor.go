package reflector

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// udpDoor is one UDP socket of the media port. A single goroutine reads, decrypts, answers and
// encrypts: passing packets between goroutines costs more than this work, and could reorder
// them.
type udpDoor struct {
	media *mediaPort
	conn  *net.UDPConn
	in    *arrival.Batch
	out   echoBatch

	mu    sync.RWMutex
	paths map[netip.AddrPort]*path
}

func newUDPDoor(m *mediaPort, conn *net.UDPConn, now func() time.Time) *udpDoor {
	d := &udpDoor{media: m, conn: conn, in: arrival.NewBatch(conn, now), paths: map[netip.AddrPort]*path{}}
	d.out.prepare(conn)
	return d
}

func (d *udpDoor) serve() {
	for {
		packets, err := d.in.Read()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		for i, p := range packets {
			d.arrive(p, d.out.scratch(i))
		}
		d.out.flush()
	}
}

func (d *udpDoor) arrive(packet arrival.Packet, scratch []byte) {
	if kindOf(packet.Data) == kindSTUN {
		d.check(packet)
		return
	}
	d.mu.RLock()
	p := d.paths[packet.From]
	d.mu.RUnlock()
	if p != nil {
		p.arrive(packet.Data, packet.At, scratch, &d.out)
	}
}

func (d *udpDoor) check(packet arrival.Packet) {
	c, ok := d.media.readCheck(packet.Data, packet.From)
	if !ok {
		return
	}
	p := d.pathTo(packet.From, c.session)
	if p == nil || p.write(c.answer) != nil {
		return
	}
	c.session.checked(p, c.nominated)
}

// pathTo returns the path of s to a client's address. An address that another session used
// before belongs to this one now, because this one proved it.
func (d *udpDoor) pathTo(to netip.AddrPort, s *session) *path {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.paths[to]; p != nil && p.session == s {
		return p
	}
	p := &path{
		session: s, remote: net.UDPAddrFromAddrPort(to),
		write: func(b []byte) error { _, err := d.conn.WriteToUDPAddrPort(b, to); return err },
	}
	p.close = func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.paths[to] == p {
			delete(d.paths, to)
		}
	}
	if !s.addPath(p) {
		return nil
	}
	d.paths[to] = p
	return p
}
