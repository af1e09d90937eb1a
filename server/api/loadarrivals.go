package api

import (
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/kerneltcp"
)

const (
	// arrivalsEvery is the interval of messages about arrivals. 20 packets of about 130 bytes per
	// second hardly load the direction that is not measured.
	arrivalsEvery = 50 * time.Millisecond
	// maxRunName limits the name of a run, which the agent chooses.
	maxRunName = 64
)

// loadRuns contains the runs whose arrivals are reported, at most one per agent.
type loadRuns struct {
	mu      sync.Mutex
	byAgent map[string]*loadRun
}

// loadRun counts the bytes that arrive in each interval.
type loadRun struct {
	name string

	mu       sync.Mutex
	begin    time.Time // of interval 0; zero before the first byte
	bytes    []int64
	firstEnd *int
	uploads  []*upload // those with a meter
	segments bool      // every upload so far had a meter
}

// open starts a run. ok is false if the agent already has one.
func (l *loadRuns) open(agent, name string) (run *loadRun, done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byAgent[agent] != nil {
		return nil, nil, false
	}
	if l.byAgent == nil {
		l.byAgent = map[string]*loadRun{}
	}
	run = &loadRun{name: name, segments: true}
	l.byAgent[agent] = run
	return run, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.byAgent, agent)
	}, true
}

// find returns nil if there is no such run.
func (l *loadRuns) find(agent, name string) *loadRun {
	l.mu.Lock()
	defer l.mu.Unlock()
	if run := l.byAgent[agent]; run != nil && run.name == name {
		return run
	}
	return nil
}

// upload is an upload of a run.
type upload struct {
	run   *loadRun // nil if arrivals are not reported
	meter *kerneltcp.Meter
}

// start counts an upload on conn until end is called. If the kernel does not count what arrives on
// conn, or conn is nil, the bytes that were read count. They are delayed by the retransmission of
// lost packets.
func (r *loadRun) start(conn net.Conn) (f *upload, end func()) {
	f = &upload{run: r}
	if r == nil {
		return f, func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	meter, ok := kerneltcp.NewMeter(conn)
	if !ok {
		r.segments = false
		return f, func() {}
	}
	f.meter = meter
	r.uploads = append(r.uploads, f)
	return f, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.count(meter.Take())
		r.uploads = slices.DeleteFunc(r.uploads, func(o *upload) bool { return o == f })
	}
}

// read records that n bytes were read.
func (f *upload) read(n int) {
	if f.run == nil {
		return
	}
	f.run.mu.Lock()
	defer f.run.mu.Unlock()
	if f.meter != nil {
		f.run.count(f.meter.Take())
		return
	}
	f.run.count(int64(n))
}

// poll counts what has arrived since the last call.
func (r *loadRun) poll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.uploads {
		r.count(f.meter.Take())
	}
}

// count adds n bytes to the present interval by the monotonic clock. The caller holds mu.
func (r *loadRun) count(n int64) {
	if n <= 0 {
		return
	}
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
	r.bytes[at] += n
}

// ended records that an upload is complete.
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

// since returns the completed intervals, starting with from.
func (r *loadRun) since(from int) wire.LoadArrivals {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := wire.LoadArrivals{From: from, Segments: r.segments, FirstEnd: r.firstEnd}
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

// streamArrivals streams the number of bytes of the agent's uploads that arrive in each interval,
// as one JSON object per line.
func (a *API) streamArrivals(w http.ResponseWriter, r *http.Request, c caller) error {
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
		return loadRefused(http.StatusTooManyRequests, "too_many_requests", "this agent is already measuring: wait for its transfers to end", loadHold)
	}
	defer done()
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Now().Add(loadLimit + arrivalsEvery))
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // otherwise nginx buffers the lines
	w.WriteHeader(http.StatusOK)
	_ = out.Flush()
	tick := time.NewTicker(wire.LoadInterval)
	defer tick.Stop()
	lines := json.NewEncoder(w)
	end, next, told := time.Now().Add(loadLimit), 0, time.Now()
	for time.Now().Before(end) {
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return nil
		}
		run.poll()
		if time.Since(told) < arrivalsEvery {
			continue
		}
		told = time.Now()
		line := run.since(next)
		if len(line.Bytes) == 0 {
			continue
		}
		next += len(line.Bytes)
		if lines.Encode(line) != nil || out.Flush() != nil {
			return nil // the agent is gone
		}
	}
	return nil
}
