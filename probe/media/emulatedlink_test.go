package media_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire/arrival"
)

// emulatedLink is a UDP relay between the agent and the reflector; its port
// replaces the reflector's in the answer. It delays, drops, reorders and duplicates
// packets and records what it did, so that the probe's figures can be compared with
// what really happened instead of with the configured impairment.
//
// Only RTP is dropped, duplicated and delayed at random: ICE and DTLS retransmit,
// and are not the subject of these tests.
type emulatedLink struct {
	reflector net.Addr
	agentSide *arrival.Conn // the agent sends to it
	arrived   arrival.Stamps
	left      arrival.Stamps
	dead      atomic.Bool // drops everything
	up, down  *lane
	work      sync.WaitGroup

	mu  sync.Mutex
	far map[netip.AddrPort]*arrival.Conn // to the reflector, one per socket of the agent
}

// impairment describes what happens to one direction, drawn per packet.
type impairment struct {
	delay   time.Duration
	jitter  time.Duration                  // additional delay, uniform in 0..jitter
	lost    func(r *rand.Rand, n int) bool // whether RTP packet n, counted from 0, is dropped
	held    func(n int) time.Duration      // additional delay of packet n
	doubled func(n int) bool               // whether packet n is duplicated
}

// passage records what happened to one RTP packet.
type passage struct {
	seq     uint16
	in, out time.Time // kernel times if available; out is that of the first copy, zero if dropped
	copies  int
}

// lane is one direction.
type lane struct {
	impairment
	rand *rand.Rand

	// sending is held while a packet is sent and its departure is recorded. Without it, a
	// measurement could end between the two, and its last packet would count as dropped.
	sending sync.Mutex

	mu    sync.Mutex
	log   []*passage
	queue []due
	wake  chan struct{}
	order int
}

type due struct {
	at     time.Time
	order  int
	send   func() time.Time // sends the packet and returns the time of departure
	record *passage         // nil if the packet is not RTP
}

func newEmulatedLink(t *testing.T, reflector net.Addr, up, down impairment) *emulatedLink {
	t.Helper()
	l := &emulatedLink{
		reflector: reflector, far: map[netip.AddrPort]*arrival.Conn{},
		up: newLane(up, 1), down: newLane(down, 2),
	}
	l.agentSide = l.listen()
	if l.agentSide == nil {
		t.Fatal("no socket for the link")
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.work.Go(func() { l.up.deliver(ctx) })
	l.work.Go(func() { l.down.deliver(ctx) })
	l.work.Go(l.fromAgent)
	t.Cleanup(func() {
		cancel()
		_ = l.agentSide.Close()
		l.mu.Lock()
		for _, c := range l.far {
			_ = c.Close()
		}
		l.mu.Unlock()
		l.work.Wait()
	})
	return l
}

// listen opens a socket whose packets are timestamped by the kernel on arrival and
// departure, so that delays within this process count as delays of the link.
func (l *emulatedLink) listen() *arrival.Conn {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil
	}
	_ = c.SetReadBuffer(1 << 20)
	return arrival.Wrap(c, &l.arrived, &l.left, time.Now)
}

func newLane(i impairment, seed uint64) *lane {
	return &lane{impairment: i, rand: rand.New(rand.NewPCG(seed, 42)), wake: make(chan struct{}, 1)}
}

func (l *emulatedLink) fromAgent() {
	buf := make([]byte, 2048)
	for {
		n, from, err := l.agentSide.ReadFromAddrPort(buf)
		in := l.arrived.Take(buf[:max(n, 0)], time.Now())
		if err != nil {
			return
		}
		far, packet := l.farFor(from), slices.Clone(buf[:n])
		if far != nil && !l.dead.Load() {
			l.up.take(packet, in, func() time.Time { return l.write(far, packet, l.reflector) })
		}
	}
}

// farFor returns the socket that represents one socket of the agent: ICE tries
// several.
func (l *emulatedLink) farFor(agent netip.AddrPort) *arrival.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.far[agent]; c != nil {
		return c
	}
	c := l.listen()
	if c == nil {
		return nil
	}
	l.far[agent] = c
	l.work.Go(func() { l.toAgent(c, agent) })
	return c
}

func (l *emulatedLink) toAgent(far *arrival.Conn, agent netip.AddrPort) {
	buf := make([]byte, 2048)
	for {
		n, _, err := far.ReadFromAddrPort(buf)
		in := l.arrived.Take(buf[:max(n, 0)], time.Now())
		if err != nil {
			return
		}
		packet := slices.Clone(buf[:n])
		if !l.dead.Load() {
			l.down.take(packet, in, func() time.Time { return l.write(l.agentSide, packet, net.UDPAddrFromAddrPort(agent)) })
		}
	}
}

// write sends a packet and returns its departure time.
func (l *emulatedLink) write(from *arrival.Conn, packet []byte, to net.Addr) time.Time {
	before := time.Now()
	_, err := from.WriteTo(packet, to)
	if err != nil || !isRTP(packet) {
		return before
	}
	if left, ok := l.left.TakeSent(binary.BigEndian.Uint32(packet[8:]), binary.BigEndian.Uint16(packet[2:])); ok {
		return left
	}
	return before
}

// isRTP checks the header, which SRTP does not encrypt (RFC 3711 §3.1; ranges of
// RFC 7983 §7).
func isRTP(b []byte) bool { return len(b) > 12 && b[0]&0xc0 == 0x80 && b[1]&0x7f == 111 }

func (l *lane) take(b []byte, in time.Time, send func() time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := in.Add(l.delay)
	if !isRTP(b) {
		l.enqueue(due{at: at, send: send})
		return
	}
	n := len(l.log)
	p := &passage{seq: binary.BigEndian.Uint16(b[2:]), in: in}
	l.log = append(l.log, p)
	if l.lost != nil && l.lost(l.rand, n) {
		return
	}
	if l.jitter > 0 {
		at = at.Add(time.Duration(l.rand.Int64N(int64(l.jitter))))
	}
	if l.held != nil {
		at = at.Add(l.held(n))
	}
	l.enqueue(due{at: at, send: send, record: p})
	if l.doubled != nil && l.doubled(n) {
		l.enqueue(due{at: at.Add(3 * time.Millisecond), send: send, record: p})
	}
}

func (l *lane) enqueue(d due) {
	l.order++
	d.order = l.order
	at, _ := slices.BinarySearchFunc(l.queue, d, func(a, b due) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order))
	})
	l.queue = slices.Insert(l.queue, at, d)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) deliver(ctx context.Context) {
	for {
		l.mu.Lock()
		wait := time.Hour
		if len(l.queue) > 0 {
			wait = time.Until(l.queue[0].at)
		}
		if wait <= 0 {
			d := l.queue[0]
			l.queue = l.queue[1:]
			l.mu.Unlock()
			l.sending.Lock()
			l.sent(d.record, d.send())
			l.sending.Unlock()
			continue
		}
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-time.After(wait):
		}
	}
}

// sent records the departure of a copy of p.
func (l *lane) sent(p *passage, left time.Time) {
	if p == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.copies++; p.copies == 1 {
		p.out = left
	}
}

// truth is what the lane really did to the stream.
type truth struct {
	passed, dropped, doubled int
	reordered                int     // RFC 4737 §3.3
	jitterMS                 float64 // mean |D| of RFC 3550 §6.4.1
	out                      []passage
}

func (l *lane) truth() truth {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var t truth
	for _, p := range l.log {
		if p.copies == 0 {
			t.dropped++
			continue
		}
		t.passed++
		t.doubled += p.copies - 1
		t.out = append(t.out, *p)
	}
	slices.SortStableFunc(t.out, func(a, b passage) int { return a.out.Compare(b.out) })
	highest := -1
	for i, p := range t.out {
		if int(p.seq) < highest {
			t.reordered++
		}
		highest = max(highest, int(p.seq))
		if i > 0 {
			before := t.out[i-1]
			d := p.out.Sub(before.out) - p.in.Sub(before.in)
			t.jitterMS += math.Abs(d.Seconds()*1000) / float64(len(t.out)-1)
		}
	}
	return t
}

// roundTripP50MS adds both passages of the echoes of the first sent packets. The
// probe excludes the younger ones, whose echoes were still in flight when it
// stopped waiting (a fifth of the stream on a satellite line), and two medians are
// comparable only over the same packets. The reflector answers in order of arrival,
// so answer k belongs to the packet that departed k-th. The function is valid only
// without duplicates.
func roundTripP50MS(up, down truth, sent int) float64 {
	var ms []float64
	for _, d := range down.out {
		if int(d.seq) >= len(up.out) {
			continue
		}
		if u := up.out[d.seq]; int(u.seq) < sent {
			ms = append(ms, (u.out.Sub(u.in)+d.out.Sub(d.in)).Seconds()*1000)
		}
	}
	slices.Sort(ms)
	if len(ms) == 0 {
		return math.NaN()
	}
	return (ms[(len(ms)-1)/2] + ms[len(ms)/2]) / 2
}

// linked signals as direct does, but routes the agent's packets over the link.
type linked struct {
	direct
	link *emulatedLink
}

func (s linked) Offer(ctx context.Context, offer string) (answer, resource string, err error) {
	answer, resource, err = s.direct.Offer(ctx, offer)
	real := fmt.Sprintf(" %d typ", s.r.MediaAddr().Port())
	through := fmt.Sprintf(" %d typ", s.link.agentSide.LocalAddr().(*net.UDPAddr).Port)
	var b strings.Builder
	for line := range strings.Lines(answer) {
		switch {
		case strings.Contains(line, " 1 udp "):
			b.WriteString(strings.Replace(line, real, through, 1))
		case strings.Contains(line, " 1 tcp "): // no path around the link
		default:
			b.WriteString(line)
		}
	}
	return b.String(), resource, err
}
