package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// reports collects the arrivals that the collector reports.
type reports struct {
	reading guard.Group
	ended   chan struct{}
	more    chan struct{} // contains one token after each report

	enough func() // called once bytesAll have arrived
	clock  probe.Clock
	first  time.Time // when the first arrival was reported; read after end

	mu   sync.Mutex
	sum  int64
	what arrived
}

// listen opens the stream of arrivals. The stream is open when listen returns, so that no upload
// precedes it.
func (p load) listen(ctx context.Context, clock probe.Clock, c *collectorClient, run string, enough func()) (*reports, error) {
	at := p.Base.JoinPath(wire.PathLoadArrivals)
	at.RawQuery = url.Values{wire.LoadRun: {run}}.Encode()
	resp, err := c.do(ctx, http.MethodGet, at, nil, 0)
	if e, ok := errors.AsType[*statusError](err); ok && (e.status == http.StatusNotFound || e.status == http.StatusMethodNotAllowed) {
		return nil, errEarlier
	}
	if err != nil {
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/x-ndjson" {
		_ = resp.Body.Close()
		return nil, errEarlier
	}
	n := &reports{clock: clock, enough: enough, ended: make(chan struct{}), more: make(chan struct{}, 1)}
	n.reading.Go(func() { n.read(resp.Body) })
	return n, nil
}

// maxArrived is the size of the uploads with TLS and retransmitted segments.
const maxArrived = connections * bytesEach * 5 / 4

// maxLine is far longer than the ten intervals of a line.
const maxLine = 16 << 10

func (n *reports) read(body io.ReadCloser) {
	defer close(n.ended)
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if n.take(lines.Bytes()) != nil {
			return
		}
	}
}

// take adds a line. A line that does not continue the previous ones ends the stream.
func (n *reports) take(line []byte) error {
	var a wire.LoadArrivals
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("read arrivals: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a.From != len(n.what.bytes) || a.From+len(a.Bytes) > maxIntervals {
		return errors.New("the arrivals are inconsistent")
	}
	for _, b := range a.Bytes {
		if n.sum += b; b < 0 || n.sum > maxArrived {
			return errors.New("more bytes arrived than were sent")
		}
		n.what.bytes = append(n.what.bytes, b)
	}
	if n.sum > 0 && n.first.IsZero() {
		n.first = n.clock.Now()
	}
	n.what.segments = a.Segments
	if n.what.firstEnd == nil && a.FirstEnd != nil && *a.FirstEnd >= 0 {
		n.what.firstEnd = a.FirstEnd
	}
	if n.sum >= bytesAll {
		n.enough()
	}
	select {
	case n.more <- struct{}{}:
	default:
	}
	return nil
}

func (n *reports) total() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return int(n.sum)
}

// await returns when this many bytes have been reported, or after d.
func (n *reports) await(bytes int64, d time.Duration) {
	late := time.NewTimer(d)
	defer late.Stop()
	for {
		n.mu.Lock()
		enough := n.sum >= bytes
		n.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-n.more:
		case <-n.ended:
			return
		case <-late.C:
			return
		}
	}
}

// end waits for the reader and returns the arrivals.
func (n *reports) end() arrived {
	<-n.ended
	n.reading.Wait()
	return n.what
}
