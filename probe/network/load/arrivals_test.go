package load

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// testArrivals reports the arrivals of uploads as the collector does, for one run
// at a time.
type testArrivals struct {
	mu       sync.Mutex
	begin    time.Time
	bytes    []int64
	firstEnd *int
}

func (a *testArrivals) add(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.begin.IsZero() {
		a.begin = time.Now()
	}
	at := int(time.Since(a.begin) / wire.LoadInterval)
	for len(a.bytes) <= at {
		a.bytes = append(a.bytes, 0)
	}
	a.bytes[at] += int64(n)
}

func (a *testArrivals) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.firstEnd == nil && !a.begin.IsZero() {
		a.firstEnd = new(int(time.Since(a.begin) / wire.LoadInterval))
	}
}

// counted is a writer that counts bytes.
type counted struct{ *testArrivals }

func (c counted) Write(b []byte) (int, error) {
	c.add(len(b))
	return len(b), nil
}

// tell starts a run and reports arrivals until the client disconnects.
func (a *testArrivals) tell(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.begin, a.bytes, a.firstEnd = time.Time{}, nil, nil
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	_ = out.Flush()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for next := 0; ; {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
		line := a.since(next)
		next += len(line.Bytes)
		if json.NewEncoder(w).Encode(line) != nil || out.Flush() != nil {
			return
		}
	}
}

func (a *testArrivals) since(from int) wire.LoadArrivals {
	a.mu.Lock()
	defer a.mu.Unlock()
	line := wire.LoadArrivals{From: from, FirstEnd: a.firstEnd}
	if a.begin.IsZero() {
		return line
	}
	for at := from; at < int(time.Since(a.begin)/wire.LoadInterval); at++ {
		n := int64(0)
		if at < len(a.bytes) {
			n = a.bytes[at]
		}
		line.Bytes = append(line.Bytes, n)
	}
	return line
}
