package network

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
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// errEarlier: the collector is of a version that does not tell arrivals.
var errEarlier = errors.New("the collector does not tell arrivals")

// errHeldBack: what the collector tells says nothing of the line, as behind a
// proxy that takes a request, or large pieces of it, before it passes them on.
var errHeldBack = errors.New("the collector tells no arrivals")

// lastNews is how long the news of the last arrivals may take, once all uploads
// are confirmed.
const lastNews = 400 * time.Millisecond

// sendCounted uploads on all connections until the time is over, while the
// collector tells what arrives. What is still in this computer's buffers or in
// the queue before the bottleneck then does not count.
func (p load) sendCounted(ctx context.Context, clock probe.Clock) (rate, error) {
	run := strconv.FormatInt(clock.Now().UnixNano(), 36)
	telling, stop := context.WithCancel(ctx)
	defer stop()
	sending, enough := context.WithCancel(ctx)
	defer enough()
	news, err := p.listen(telling, run, enough)
	if err != nil {
		return rate{}, err
	}
	payload := incompressible(bytesEach)
	at := p.Base.JoinPath(wire.PathLoad)
	at.RawQuery = url.Values{wire.LoadRun: {run}}.Encode()
	faults := make([]error, connections)
	var wg sync.WaitGroup
	for i := range faults {
		wg.Go(func() {
			if i > 0 && !join(sending, clock, i, news.total) {
				faults[i] = context.Cause(sending)
				return
			}
			_, faults[i] = p.upload(sending, at, payload)
			if faults[i] != nil && ctx.Err() == nil {
				enough() // refused, or the last bytes have been told
			}
		})
	}
	wg.Wait()
	if sending.Err() == nil { // else the time is over, and the last bytes have no news
		confirmed := int64(0)
		for _, err := range faults {
			if err == nil {
				confirmed += bytesEach
			}
		}
		news.await(confirmed, lastNews)
	}
	if ctx.Err() == nil && news.total() == 0 {
		return rate{}, errors.Join(faults...)
	}
	stop()
	a := news.end()
	r := a.steady()
	r.moved = int(news.sum)
	if a.heldBack() {
		return rate{moved: r.moved}, errHeldBack
	}
	return r, nil
}

// news collects the arrivals that the collector tells.
type news struct {
	ended chan struct{}
	more  chan struct{} // holds one token when something came

	enough func() // called once bytesAll have arrived

	mu   sync.Mutex
	sum  int64
	what arrived
}

// listen opens the stream of arrivals. It is open when listen returns, so that no
// upload comes before it.
func (p load) listen(ctx context.Context, run string, enough func()) (*news, error) {
	at := p.Base.JoinPath(wire.PathLoadArrivals)
	at.RawQuery = url.Values{wire.LoadRun: {run}}.Encode()
	resp, err := p.do(ctx, http.MethodGet, at, nil)
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
	n := &news{enough: enough, ended: make(chan struct{}), more: make(chan struct{}, 1)}
	go n.read(resp.Body)
	return n, nil
}

// maxLine is far above the ten intervals that a line has.
const maxLine = 16 << 10

func (n *news) read(body io.ReadCloser) {
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

// take adds a line. One that does not fit those before ends the news.
func (n *news) take(line []byte) error {
	var a wire.LoadArrivals
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("read arrivals: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	most := int((fullTime + askWait) / wire.LoadInterval)
	if a.From != len(n.what.bytes) || a.From+len(a.Bytes) > most {
		return errors.New("arrivals do not fit together")
	}
	for _, b := range a.Bytes {
		if n.sum += b; b < 0 || n.sum > connections*bytesEach {
			return errors.New("more bytes arrived than were sent")
		}
		n.what.bytes = append(n.what.bytes, b)
	}
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

func (n *news) total() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return int(n.sum)
}

// await returns when as many bytes have been told, or after d.
func (n *news) await(bytes int64, d time.Duration) {
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

// end waits for the reader and returns what it has.
func (n *news) end() arrived {
	<-n.ended
	return n.what
}
