package api

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	// arrivalsEvery is how often arrivals are told: 20 packets of some 130 bytes a
	// second are little for the direction that is not measured.
	arrivalsEvery = 50 * time.Millisecond
	// maxRunName bounds the name an agent gives to a run.
	maxRunName = 64
)

// loadRuns are the uploads whose arrivals somebody wants to know, one run an agent.
type loadRuns struct {
	mu      sync.Mutex
	byAgent map[string]*loadRun
}

// loadRun counts what arrives in each interval.
type loadRun struct {
	name string

	mu       sync.Mutex
	begin    time.Time // of interval 0; zero before the first byte
	bytes    []int64
	firstEnd *int
}

// open begins a run. ok is false while another of the agent's goes on.
func (l *loadRuns) open(agent, name string) (run *loadRun, done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byAgent[agent] != nil {
		return nil, nil, false
	}
	if l.byAgent == nil {
		l.byAgent = map[string]*loadRun{}
	}
	run = &loadRun{name: name}
	l.byAgent[agent] = run
	return run, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.byAgent, agent)
	}, true
}

// find returns nil where nobody wants to know.
func (l *loadRuns) find(agent, name string) *loadRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	if run := l.byAgent[agent]; run != nil && run.name == name {
		return run
	}
	return nil
}

// arrived counts n bytes. Like receive it takes the machine's own clock, which
// does not jump.
func (r *loadRun) arrived(n int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.begin.IsZero() {
		r.begin = now
	}
	at := int(now.Sub(r.begin) / wire.LoadInterval)
	if at >= int(loadLimit/wire.LoadInterval) {
		return
	}
	for len(r.bytes) <= at {
		r.bytes = append(r.bytes, 0)
	}
	r.bytes[at] += int64(n)
}

// ended notes that an upload is complete.
func (r *loadRun) ended() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.firstEnd == nil && !r.begin.IsZero() {
		r.firstEnd = new(int(time.Since(r.begin) / wire.LoadInterval))
	}
}

// since returns the intervals from one on that are over.
func (r *loadRun) since(from int) wire.LoadArrivals {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := wire.LoadArrivals{From: from, FirstEnd: r.firstEnd}
	if r.begin.IsZero() {
		return a
	}
	over := min(int(time.Since(r.begin)/wire.LoadInterval), int(loadLimit/wire.LoadInterval))
	for at := from; at < over; at++ {
		n := int64(0)
		if at < len(r.bytes) {
			n = r.bytes[at]
		}
		a.Bytes = append(a.Bytes, n)
	}
	return a
}

// tellArrivals answers, line by line while they come, how many bytes of the
// agent's uploads arrive.
func (a *API) tellArrivals(w http.ResponseWriter, r *http.Request, c caller) error {
	name := r.URL.Query().Get(wire.LoadRun)
	if name == "" || len(name) > maxRunName {
		return fault(http.StatusBadRequest, "run_invalid", "run must be 1 to 64 characters")
	}
	leave, err := a.load.enter(c.ID)
	if err != nil {
		return err
	}
	defer leave(0)
	run, done, ok := a.loadRuns.open(c.ID, name)
	if !ok {
		return loadRefused(http.StatusTooManyRequests, "too_many_requests", "this agent measures already: wait for its transfers to end", loadHold)
	}
	defer done()
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Now().Add(loadLimit + arrivalsEvery))
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // else nginx would hold the lines back
	w.WriteHeader(http.StatusOK)
	_ = out.Flush()
	tick := time.NewTicker(arrivalsEvery)
	defer tick.Stop()
	lines := json.NewEncoder(w)
	for end, next := time.Now().Add(loadLimit), 0; time.Now().Before(end); {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return nil
		}
		line := run.since(next)
		if len(line.Bytes) == 0 {
			continue
		}
		next += len(line.Bytes)
		if lines.Encode(line) != nil || out.Flush() != nil {
			return nil // the agent has gone
		}
	}
	return nil
}
