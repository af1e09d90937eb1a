package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// connections fill the line side by side, as every speed test does. One alone
// leaves slow start as soon as packets begin to wait (HyStart, RFC 9406), and
// then needs far longer than 3 s to fill a deep queue.
const connections = 4

// Uploads grow, so that a slow line gets one through and a fast one is filled.
// Each waits for the collector's receipt: what is still in this computer's own
// buffers has not been sent. The first go one by one, the others on each
// connection: 3.9 MB in all.
var (
	firstUploads = [...]int{4 << 10, 16 << 10}
	uploads      = [...]int{16 << 10, 64 << 10, 256 << 10, 640 << 10}
)

// errBusy: the collector bounds how much is measured at once.
var errBusy = errors.New("the collector has no room for a measurement")

// ownConnections is the client with connections of the measurement's own:
// HTTP/2 would put all transfers into one, and what a connection has not sent
// when its phase is over must not go on filling the line.
func (p load) ownConnections() *http.Client {
	own := *p.Client
	base := own.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	t, ok := base.(*http.Transport)
	if !ok {
		return &own
	}
	t = t.Clone()
	t.Protocols, t.ForceAttemptHTTP2, t.TLSNextProto = new(http.Protocols), false, nil
	t.Protocols.SetHTTP1(true)
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = nil
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*connections, connections
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, at string) (net.Conn, error) {
		conn, err := dial(ctx, network, at)
		if tcp, ok := conn.(interface{ SetLinger(int) error }); ok && err == nil {
			_ = tcp.SetLinger(0)
		}
		return conn, err
	}
	own.Transport = t
	return &own
}

// receive reads on all connections until the time is over.
func (p load) receive(ctx context.Context, clock probe.Clock) (rate, error) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	first, err := p.ask(ctx)
	if err != nil {
		return rate{}, err
	}
	c := &counter{clock: clock, enough: enough}
	var wg sync.WaitGroup
	wg.Go(func() { c.read(first) })
	for n := range connections - 1 {
		wg.Go(func() {
			if !join(ctx, clock, n+1, c.sum) {
				return
			}
			// A collector that gives no more than one has given one.
			if more, err := p.ask(ctx); err == nil {
				c.read(more)
			}
		})
	}
	wg.Wait()
	r := c.what.steady()
	r.moved = c.moved
	return r, nil
}

// joinAfter is how many bytes have to arrive before one more connection joins.
// The initial windows of four (RFC 6928) at once are 58 kB, more than the queue of
// a slow line holds: TCP would spend the time repairing the losses.
const joinAfter = 16 << 10

// join waits until the n-th further connection may join; false: the time is over.
func join(ctx context.Context, clock probe.Clock, n int, arrived func() int) bool {
	for arrived() < n*joinAfter {
		if clock.Sleep(ctx, 5*time.Millisecond) != nil {
			return false
		}
	}
	return ctx.Err() == nil
}

// bytesAll is what one direction moves at most, since at 100 Mbit/s and 60 ms TCP
// needs 2 MB until the line is full. A connection may move half of it, so that one
// that gets ahead of the others does not end before them.
const (
	bytesAll  = 8 << 20
	bytesEach = wire.MaxLoadBytes
)

// ask begins one connection's part of what is received.
func (p load) ask(ctx context.Context) (io.ReadCloser, error) {
	at := p.Base.JoinPath(wire.PathLoad)
	at.RawQuery = url.Values{"bytes": {strconv.Itoa(bytesEach)}}.Encode()
	resp, err := p.do(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// counter notes what arrives on all connections.
type counter struct {
	clock probe.Clock

	enough func() // called once bytesAll have come

	mu    sync.Mutex
	moved int
	begin time.Time // of the first bytes
	what  arrived
}

func (c *counter) read(body io.ReadCloser) {
	defer func() { _ = body.Close() }()
	b := make([]byte, 32<<10)
	bounded := io.LimitReader(body, bytesEach)
	for {
		n, err := bounded.Read(b)
		if n > 0 && c.note(n) >= bytesAll {
			return
		}
		if errors.Is(err, io.EOF) {
			c.end()
		}
		if err != nil {
			return // the end, or the end of the time
		}
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

// interval is the number of the present one. It runs under the lock.
func (c *counter) interval() int { return int(c.clock.Now().Sub(c.begin) / wire.LoadInterval) }

// note returns how much has come on all connections.
func (c *counter) note(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moved += n; c.moved >= bytesAll {
		c.enough()
	}
	if c.begin.IsZero() {
		c.begin = c.clock.Now()
	}
	at := c.interval()
	if at < len(c.what.bytes)-1 || at > int((fullTime+askWait)/wire.LoadInterval) {
		return c.moved // the clock was set
	}
	for len(c.what.bytes) <= at {
		c.what.bytes = append(c.what.bytes, 0)
	}
	c.what.bytes[at] += int64(n)
	return c.moved
}

// send is for collectors that do not tell arrivals. It uploads ever more until the time is over: first on one connection, then
// on all. What the collector confirmed counts.
func (p load) send(ctx context.Context, clock probe.Clock) (rate, error) {
	payload := incompressible(uploads[len(uploads)-1])
	alone, err := p.sendOn(ctx, clock, payload, firstUploads[:])
	if err != nil || ctx.Err() != nil {
		return alone.largest, err
	}
	side := make([]confirmed, connections)
	faults := make([]error, connections)
	var wg sync.WaitGroup
	for i := range side {
		wg.Go(func() { side[i], faults[i] = p.sendOn(ctx, clock, payload, uploads[:]) })
	}
	wg.Wait()
	moved, lanes, refused := alone.all.moved, make([]rate, connections), 0
	for i, s := range side {
		moved += s.all.moved
		lanes[i] = s.all
		if errors.Is(faults[i], errBusy) {
			refused++
		}
	}
	if refused < connections { // a collector that takes one transfer at a time has taken one
		faults = slices.DeleteFunc(faults, func(err error) bool { return errors.Is(err, errBusy) })
	}
	r := together(lanes)
	if alone.largest.perMS() > r.perMS() { // the line carried that
		r = alone.largest
	}
	r.moved = moved
	return r, errors.Join(faults...)
}

// confirmed is what one connection sent.
type confirmed struct{ all, largest rate }

// sendOn uploads one size after the other.
func (p load) sendOn(ctx context.Context, clock probe.Clock, payload []byte, sizes []int) (c confirmed, err error) {
	for _, size := range sizes {
		start := clock.Now()
		receipt, err := p.upload(ctx, p.Base.JoinPath(wire.PathLoad), payload[:size])
		if ctx.Err() != nil {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		took := clock.Now().Sub(start)
		one := rate{counted: int64(size), took: took}
		if ms := time.Duration(receipt.MS * float64(time.Millisecond)); ms > time.Millisecond && ms <= took {
			one.counted, one.took = receipt.Bytes, ms
		}
		c.all.moved += size
		c.all.counted += one.counted
		c.all.took += one.took
		one.moved = c.all.moved
		c.largest = one
	}
	return c, nil
}

// incompressible is n bytes that nothing on the way can make fewer: a mixed
// counter (splitmix64).
func incompressible(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		x := uint64(i)*0x9E3779B97F4A7C15 + 1
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		b[i] = byte(x >> 56)
	}
	return b
}

func (p load) upload(ctx context.Context, at *url.URL, body []byte) (receipt wire.LoadReceipt, err error) {
	resp, err := p.do(ctx, http.MethodPost, at, body)
	if err != nil {
		return receipt, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<10)).Decode(&receipt); err != nil {
		return receipt, fmt.Errorf("read the collector's receipt: %w", err)
	}
	if receipt.Bytes < 0 || receipt.Bytes > int64(len(body)) || !(receipt.MS >= 0) {
		return wire.LoadReceipt{}, errors.New("the collector's receipt does not fit what was sent")
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection is used again
	return receipt, nil
}

// statusError is an answer that is no success.
type statusError struct{ status int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the collector answered with status %d", e.status)
}

func (p load) do(ctx context.Context, method string, at *url.URL, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask for load: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token)
	req.Header.Set("Accept-Encoding", "identity")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := p.Client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for load: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
			return nil, fmt.Errorf("ask for load: %w", errBusy)
		}
		return nil, fmt.Errorf("ask for load: %w", &statusError{resp.StatusCode})
	}
	return resp, nil
}
