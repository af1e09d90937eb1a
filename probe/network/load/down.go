package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/kerneltcp"
)

// bytesAll is the maximum for one direction: at 100 Mbit/s and 60 ms TCP needs 2 MB to fill the line. A
// connection may transfer half of it, so that a fast one does not end before the others.
const (
	bytesAll  = 8 << 20
	bytesEach = wire.MaxLoadBytes
)

// receive reads on all connections until the end of the phase.
func (p load) receive(ctx context.Context, clock probe.Clock) (arrived, error) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	c := &counter{clock: clock, enough: enough}
	client := p.connect(c)
	defer client.CloseIdleConnections()
	first, err := p.ask(ctx, client)
	if err != nil {
		return arrived{}, err
	}
	c.start()
	polling, stop := context.WithCancel(ctx)
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		c.keepPolling(polling)
	}()
	var wg guard.Group
	wg.Go(func() { c.drain(first) })
	for n := range connections - 1 {
		wg.Go(func() {
			if !join(ctx, clock, n+1, c.sum) {
				return
			}
			// A collector that refuses further transfers still serves the first.
			if more, err := p.ask(ctx, client); err == nil {
				c.drain(more)
			}
		})
	}
	wg.Wait()
	stop()
	<-polled
	return c.what, nil
}

// joinAfter is the number of bytes that must arrive before another connection starts. The initial
// windows of four at once (RFC 6928) are 58 kB, more than the queue of a slow line holds: TCP would
// spend the phase in loss recovery.
const joinAfter = 16 << 10

// join waits until the n-th further connection may start; false means that the phase has ended.
func join(ctx context.Context, clock probe.Clock, n int, sum func() int) bool {
	for sum() < n*joinAfter {
		if clock.Sleep(ctx, 5*time.Millisecond) != nil {
			return false
		}
	}
	return ctx.Err() == nil
}

// ask requests the transfer of one connection.
func (p load) ask(ctx context.Context, c *collectorClient) (io.ReadCloser, error) {
	at := p.Base.JoinPath(wire.PathLoad)
	at.RawQuery = url.Values{"bytes": {strconv.Itoa(bytesEach)}}.Encode()
	resp, err := c.do(ctx, http.MethodGet, at, nil, 0)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// counter counts what arrives on all connections, by interval.
type counter struct {
	clock  probe.Clock
	enough func() // called once bytesAll have arrived

	mu     sync.Mutex
	meters []*kerneltcp.Meter
	begin  time.Time // start of interval 0; zero before start
	moved  int
	what   arrived
}

// watch returns a connection whose arrivals are counted: by the kernel if it does, and
// otherwise as they are read, where a lost packet delays those after it.
func (c *counter) watch(conn net.Conn) net.Conn {
	meter, ok := kerneltcp.NewMeter(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.what.segments = ok
	if !ok {
		return &countedConn{conn, c.note}
	}
	c.meters = append(c.meters, meter)
	return &countedConn{conn, func(int) { c.poll() }}
}

// start begins interval 0. Earlier bytes belong to handshakes, which do not fill the
// line.
func (c *counter) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin = c.clock.Now()
	for _, m := range c.meters {
		_ = m.Take()
	}
}

// poll counts what the kernel has counted since the last call.
func (c *counter) poll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.meters {
		c.count(int(m.Take()))
	}
}

// keepPolling polls in every interval until ctx is done, also while nothing can be read.
func (c *counter) keepPolling(ctx context.Context) {
	for c.clock.Sleep(ctx, wire.LoadInterval) == nil {
		c.poll()
	}
}

func (c *counter) drain(body io.ReadCloser) {
	defer func() { _ = body.Close() }()
	if _, err := io.Copy(io.Discard, io.LimitReader(body, bytesEach)); err == nil {
		c.end()
	}
}

func (c *counter) sum() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moved
}

func (c *counter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.what.firstEnd == nil {
		c.what.firstEnd = new(c.interval())
	}
}

// interval returns the number of the present interval. The caller holds mu.
func (c *counter) interval() int { return int(c.clock.Now().Sub(c.begin) / wire.LoadInterval) }

func (c *counter) note(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(n)
}

// count adds n bytes to the present interval. The caller holds mu.
func (c *counter) count(n int) {
	if c.begin.IsZero() || n <= 0 {
		return
	}
	if c.moved += n; c.moved >= bytesAll {
		c.enough()
	}
	at := c.interval()
	if at < len(c.what.bytes)-1 || at >= maxIntervals {
		return // the clock was set
	}
	for len(c.what.bytes) <= at {
		c.what.bytes = append(c.what.bytes, 0)
	}
	c.what.bytes[at] += int64(n)
}
