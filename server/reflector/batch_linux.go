package reflector

import (
	"net"

	"golang.org/x/net/ipv4"

	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// echoBatch sends the echoes of one batch of arrivals with one system call, sendmmsg(2).
// Package ipv4 only provides the call, which supports IPv6 as well.
type echoBatch struct {
	conn     *ipv4.PacketConn
	n        int
	messages [arrival.BatchPackets]ipv4.Message
	paths    [arrival.BatchPackets]*path
	echoes   [arrival.BatchPackets]echo
	space    [arrival.BatchPackets][echoBytes]byte
}

func (b *echoBatch) prepare(conn *net.UDPConn) {
	b.conn = ipv4.NewPacketConn(conn)
	for i := range b.messages {
		b.messages[i].Buffers = make([][]byte, 1)
	}
}

// scratch returns space for the answer to arrival i.
func (b *echoBatch) scratch(i int) []byte { return b.space[i][:0] }

// put sends at once while there are few streams. In a batch a packet waits for the previous
// ones, which on a machine in a sleep state takes tenths of a millisecond more than the
// single time that the log contains for all. With many streams, saving system calls matters
// more.
func (b *echoBatch) put(p *path, e echo) {
	if b.n == 0 && p.session.r.few() {
		atOnce{}.put(p, e)
		return
	}
	b.messages[b.n].Buffers[0], b.messages[b.n].Addr = e.packet, p.remote
	b.paths[b.n], b.echoes[b.n] = p, e
	b.n++
}

// flush sends the batch. It skips a packet that the socket rejects. Failures are reported in
// reverse order, because a session can take back only its latest number.
func (b *echoBatch) flush() {
	if b.n == 0 {
		return
	}
	var refusals [arrival.BatchPackets]error
	leftNS := b.paths[0].session.r.sinceNS()
	for at := 0; at < b.n; {
		sent, err := b.conn.WriteBatch(b.messages[at:b.n], 0)
		at += max(sent, 0)
		if err != nil && at < b.n {
			refusals[at] = err
			at++
		}
	}
	for i := b.n - 1; i >= 0; i-- {
		b.paths[i].session.answered(b.echoes[i], leftNS, refusals[i])
		b.paths[i] = nil
	}
	b.n = 0
}
