package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// errBusy means that the collector's limit of concurrent measurements is reached.
var errBusy = errors.New("the collector has no capacity for a measurement")

// errEarlier means that the collector's version does not report arrivals.
var errEarlier = errors.New("the collector does not report arrivals")

// errBuffered means that the collector's reports do not describe the line, as behind a proxy that
// receives a request, or large parts of it, before it passes them on.
var errBuffered = errors.New("the uploads were buffered on the path")

// lastReport limits the wait for the report of the last arrivals after all uploads
// are confirmed.
const lastReport = 400 * time.Millisecond

// send uploads on all connections until the end of the phase, while the collector reports the
// arrivals. What remains in this computer's buffers or in the queue of the bottleneck does not
// count. idleRTTMS may be nil.
func (p load) send(ctx context.Context, clock probe.Clock, idleRTTMS *float64) (arrived, error) {
	run := strconv.FormatInt(clock.Now().UnixNano(), 36)
	client := p.connect(nil)
	defer client.CloseIdleConnections()
	telling, stop := context.WithCancel(ctx)
	defer stop()
	sending, enough := context.WithCancel(ctx)
	defer enough()
	reports, err := p.listen(telling, clock, client, run, enough)
	if err != nil {
		return arrived{}, err
	}
	payload := incompressible(bytesEach)
	at := p.Base.JoinPath(wire.PathLoad)
	at.RawQuery = url.Values{wire.LoadRun: {run}}.Encode()
	faults := make([]error, connections)
	var begun sync.Once
	var began time.Time
	first := func() { began = clock.Now() }
	var wg guard.Group
	for i := range faults {
		wg.Go(func() {
			if i > 0 && !join(sending, clock, i, reports.total) {
				faults[i] = context.Cause(sending)
				return
			}
			faults[i] = client.upload(sending, at, payload, func() { begun.Do(first) })
			if faults[i] != nil && ctx.Err() == nil {
				enough() // refused, or all bytes have been reported
			}
		})
	}
	wg.Wait()
	if sending.Err() == nil { // otherwise the phase has ended, and the last bytes are not reported
		confirmed := int64(0)
		for _, err := range faults {
			if err == nil {
				confirmed += bytesEach
			}
		}
		reports.await(confirmed, lastReport)
	}
	stop()
	what := reports.end()
	if ctx.Err() == nil && what.sum() == 0 {
		return what, errors.Join(faults...)
	}
	if what.isBuffered() || reports.first.Sub(began) > firstReportWithin(idleRTTMS) {
		return what, errBuffered
	}
	return what, nil
}

// firstReportWithin limits the time from the first byte that is sent to the report
// of its arrival. It is longer if a proxy receives a whole upload before it passes
// it on (nginx, proxy_request_buffering).
func firstReportWithin(idleRTTMS *float64) time.Duration {
	limit := 400 * time.Millisecond
	if idleRTTMS != nil {
		limit += time.Duration(3 * *idleRTTMS * float64(time.Millisecond))
	}
	return limit
}

// upload sends payload and waits for the answer. It calls begin when the connection
// is established.
func (c *collectorClient) upload(ctx context.Context, at *url.URL, payload []byte, begin func()) error {
	resp, err := c.do(ctx, http.MethodPost, at, &inRecords{left: payload, begin: begin}, len(payload))
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // allows the reuse of the connection
	return resp.Body.Close()
}

// inRecords is a body that is sent in TLS records of one packet each at first. The collector
// receives a record when it is complete, and after about ten records package crypto/tls uses 16
// KiB, which take half a second at 300 kbit/s. On fast lines long records do no harm, because they
// arrive within an interval.
type inRecords struct {
	left  []byte
	sent  int
	begin func()
}

const (
	// recordOfPacket fills a packet of 1500 bytes: 20 + 20 + 12 bytes of IP, TCP and timestamps
	// (RFC 7323), 22 of TLS 1.3 (RFC 8446 §5.2).
	recordOfPacket = 1426
	// shortRecords is the number of bytes before the first long record: four times as much takes
	// less than 3 s from 700 kbit/s on, at which a long record takes 0.2 s.
	shortRecords = 512 << 10
)

// Read implements io.Reader. Do not add io.WriterTo, which would write everything at once.
func (r *inRecords) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	if r.sent == 0 {
		r.begin()
	}
	if r.sent < shortRecords {
		b = b[:min(len(b), recordOfPacket)]
	}
	n := copy(b, r.left)
	r.left, r.sent = r.left[n:], r.sent+n
	return n, nil
}

// incompressible returns n bytes that cannot be compressed in transit: a mixed counter (splitmix64).
func incompressible(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		x := uint64(i)*0x9E3779B97F4A7C15 + 1
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		b[i] = byte(x >> 56)
	}
	return b
}
