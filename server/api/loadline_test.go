package api

import (
	"bytes"
	"context"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"time"
)

// emulatedLine is a line between one agent and one collector in the fake time of
// testing/synctest. Each direction has a tail-drop queue, a token bucket and a delay.
// The TCP connections behave like Reno with HyStart (RFC 5681, RFC 9406): an initial
// window of ten (RFC 6928), slow start until packets are delayed or lost, halving of
// the window once per round trip with a loss, and delivery in order, so that a lost
// packet blocks those after it.
type emulatedLine struct {
	up, down direction
	delay    time.Duration // one-way

	mu    sync.Mutex
	flows []*flow
	later map[int64][]func() // by tick
	now   int64
}

// direction is one direction of the line.
type direction struct {
	kbps, queueMS, burstBytes float64

	queue  []queued
	waits  float64 // bytes in the queue
	tokens float64
}

type queued struct {
	f    *flow
	seq  int
	size int
}

// lineTick is the time step of the emulation.
const lineTick = time.Millisecond

const (
	segment  = 1448 // payload of a full packet
	overhead = 52   // IP, TCP, timestamps
	// The bounds of the send buffer, which grows with the window as Linux's does.
	sndBufMin = 64 << 10
	sndBufMax = 4 << 20
)

// flow is one direction of a connection.
type flow struct {
	line *emulatedLine
	dir  *direction

	buffer   bytes.Buffer // written, not yet sent
	closed   bool         // closed for writing
	aborted  bool
	nextSeq  int
	inFlight int
	cwnd     float64
	ssthresh float64
	cutAt    int64 // tick until which no further loss halves the window
	// roundEnd and leastWait are used by HyStart: the minimum waiting time of a packet
	// of a round, without the tail of its burst.
	roundEnd  int64
	leastWait time.Duration

	segments map[int][]byte // in flight or out of order, by number
	waiting  map[int]bool   // arrived out of order
	expected int
	ready    bytes.Buffer // arrived in order, not yet read
	changed  chan struct{}
}

func newLine(up, down direction, delay time.Duration) *emulatedLine {
	return &emulatedLine{up: up, down: down, delay: delay, later: map[int64][]func(){}}
}

func (l *emulatedLine) newFlow(d *direction) *flow {
	f := &flow{
		line: l, dir: d, cwnd: 10 * segment, ssthresh: math.Inf(1),
		segments: map[int][]byte{}, waiting: map[int]bool{}, changed: make(chan struct{}),
	}
	l.flows = append(l.flows, f)
	return f
}

// run moves packets until ctx is done.
func (l *emulatedLine) run(ctx context.Context) {
	tick := time.NewTicker(lineTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.step()
		case <-ctx.Done():
			return
		}
	}
}

func (l *emulatedLine) step() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now++
	for _, f := range l.later[l.now] {
		f()
	}
	delete(l.later, l.now)
	for sent := true; sent; { // one packet of each flow in turn
		sent = false
		for _, f := range l.flows {
			sent = f.send() || sent
		}
	}
	for _, d := range []*direction{&l.up, &l.down} {
		d.drain(l)
	}
}

func (l *emulatedLine) after(d time.Duration, do func()) {
	at := l.now + max(1, int64(d/lineTick))
	l.later[at] = append(l.later[at], do)
}

// perTick returns the bytes that the bottleneck sends in one step.
func (d *direction) perTick() float64 { return d.kbps / 8 * lineTick.Seconds() * 1000 }

func (d *direction) queueBytes() float64 { return max(d.kbps/8*d.queueMS, 3*(segment+overhead)) }

func (d *direction) drain(l *emulatedLine) {
	d.tokens = min(d.tokens+d.perTick(), max(d.burstBytes, 2*(segment+overhead)+d.perTick()))
	for len(d.queue) > 0 && d.tokens >= float64(d.queue[0].size) {
		q := d.queue[0]
		d.queue = d.queue[1:]
		d.tokens -= float64(q.size)
		d.waits -= float64(q.size)
		l.after(l.delay, func() { q.f.arrive(q.seq) })
	}
}

// wait returns the waiting time of a packet that arrives now.
func (d *direction) wait() time.Duration {
	return time.Duration(d.waits / (d.kbps / 8) * float64(time.Millisecond))
}

// send sends one packet if window and buffer permit.
func (f *flow) send() bool {
	if f.buffer.Len() == 0 || float64(f.inFlight) >= f.cwnd || f.aborted {
		return false
	}
	n := min(segment, f.buffer.Len())
	f.segments[f.nextSeq] = bytes.Clone(f.buffer.Next(n))
	f.inFlight += n
	f.transmit(f.nextSeq)
	f.nextSeq++
	f.signal()
	return true
}

// room returns the size of the send buffer.
func (f *flow) room() int { return int(min(max(2*f.cwnd, sndBufMin), sndBufMax)) }

// transmit enqueues a packet at the bottleneck. A loss is detected by the packets after
// it, and repaired one round trip later.
func (f *flow) transmit(seq int) {
	d, size := f.dir, len(f.segments[seq])+overhead
	wait := d.wait()
	if f.line.now >= f.roundEnd {
		if f.leastWait > max(4*lineTick, f.line.delay/4) && f.roundEnd > 0 && f.cwnd < f.ssthresh {
			f.ssthresh = f.cwnd
		}
		f.roundEnd, f.leastWait = f.line.now+int64((2*f.line.delay+wait)/lineTick), wait
	}
	f.leastWait = min(f.leastWait, wait)
	if d.waits+float64(size) > d.queueBytes() {
		rtt := 2*f.line.delay + wait
		if f.line.now >= f.cutAt {
			f.ssthresh = max(f.cwnd/2, 2*segment)
			f.cwnd = f.ssthresh
			f.cutAt = f.line.now + int64(rtt/lineTick)
		}
		f.line.after(rtt, func() {
			if !f.aborted {
				f.transmit(seq)
			}
		})
		return
	}
	d.waits += float64(size)
	d.queue = append(d.queue, queued{f, seq, size})
}

// arrive delivers the data that is in order, and acknowledges the packet.
func (f *flow) arrive(seq int) {
	if f.aborted {
		return
	}
	n := len(f.segments[seq])
	f.waiting[seq] = true
	for f.waiting[f.expected] {
		f.ready.Write(f.segments[f.expected])
		delete(f.waiting, f.expected)
		delete(f.segments, f.expected)
		f.expected++
	}
	f.signal()
	f.line.after(f.line.delay, func() {
		f.inFlight -= n
		if f.cwnd < f.ssthresh {
			f.cwnd += float64(n)
		} else {
			f.cwnd += segment * float64(n) / f.cwnd
		}
	})
}

func (f *flow) signal() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// emulatedConn is one end of a connection.
type emulatedConn struct {
	in, out *flow

	mu            sync.Mutex
	readDeadline  time.Time
	writeDeadline time.Time
}

func (c *emulatedConn) Read(b []byte) (int, error) {
	for {
		l := c.in.line
		l.mu.Lock()
		if c.in.ready.Len() > 0 {
			n, _ := c.in.ready.Read(b)
			l.mu.Unlock()
			return n, nil
		}
		changed := c.in.changed
		over := c.in.aborted || c.in.closed && c.in.buffer.Len() == 0 && len(c.in.segments) == 0
		l.mu.Unlock()
		if over {
			return 0, io.EOF
		}
		if err := c.await(changed, &c.readDeadline); err != nil {
			return 0, err
		}
	}
}

func (c *emulatedConn) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		l := c.out.line
		l.mu.Lock()
		if c.out.closed || c.out.aborted {
			l.mu.Unlock()
			return n, net.ErrClosed
		}
		room := min(len(b), max(0, c.out.room()-c.out.buffer.Len()))
		c.out.buffer.Write(b[:room])
		b, n = b[room:], n+room
		changed := c.out.changed
		l.mu.Unlock()
		if len(b) > 0 {
			if err := c.await(changed, &c.writeDeadline); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// await returns when something has changed or the deadline is reached.
func (c *emulatedConn) await(changed <-chan struct{}, deadline *time.Time) error {
	c.mu.Lock()
	at := *deadline
	c.mu.Unlock()
	wake := time.Second // a deadline may be set in the meantime
	if !at.IsZero() {
		wake = min(wake, time.Until(at))
	}
	if wake <= 0 {
		return os.ErrDeadlineExceeded
	}
	t := time.NewTimer(wake)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
	return nil
}

// Close discards data that was not sent, as SetLinger(0) does. Queued data is still
// sent, and the other end is notified one delay later.
func (c *emulatedConn) Close() error {
	l := c.out.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.out.closed {
		return nil
	}
	c.out.buffer.Reset()
	c.out.closed = true
	for _, f := range []*flow{c.in, c.out} {
		l.after(l.delay+c.out.dir.wait(), func() {
			f.aborted = true
			f.signal()
		})
	}
	c.in.signal()
	return nil
}

func (c *emulatedConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *emulatedConn) SetReadDeadline(t time.Time) error { return c.set(&c.readDeadline, t) }

func (c *emulatedConn) SetWriteDeadline(t time.Time) error { return c.set(&c.writeDeadline, t) }

func (c *emulatedConn) set(deadline *time.Time, t time.Time) error {
	c.mu.Lock()
	*deadline = t
	c.mu.Unlock()
	l := c.in.line
	l.mu.Lock()
	defer l.mu.Unlock()
	c.in.signal()
	c.out.signal()
	return nil
}

func (c *emulatedConn) LocalAddr() net.Addr  { return emulatedAddr{} }
func (c *emulatedConn) RemoteAddr() net.Addr { return emulatedAddr{} }

type emulatedAddr struct{}

func (emulatedAddr) Network() string { return "tcp" }
func (emulatedAddr) String() string  { return "192.0.2.1:443" }

// dial performs a handshake and returns a connection.
func (l *emulatedLine) dial(ctx context.Context, accept chan<- net.Conn) (net.Conn, error) {
	l.mu.Lock()
	handshake := 2*l.delay + l.up.wait() + l.down.wait()
	up, down := l.newFlow(&l.up), l.newFlow(&l.down)
	l.mu.Unlock()
	select {
	case <-time.After(handshake):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case accept <- &emulatedConn{in: up, out: down}:
		return &emulatedConn{in: down, out: up}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// roundTrip returns the present round trip of a small packet.
func (l *emulatedLine) roundTrip() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return 2*l.delay + l.up.wait() + l.down.wait()
}
