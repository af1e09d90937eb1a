package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
)

// Bounds of media.load. They keep the collector's own line for the conferences
// and the reports: a check that has to wait says "unknown".
const (
	// loadUnit is what one turn of the limiters stands for. One measurement moves
	// up to 8 MB each way in four transfers: some 68 turns with the news of what
	// arrives and what was on its way at the end.
	loadUnit = 256 << 10
	// An agent: two measurements at once, then one in about 130 s, 1 Mbit/s.
	loadBurst = 136
	loadEvery = 2 * time.Second
	// All together: 128 MB at once, then 8 Mbit/s.
	loadBurstAll = 512
	loadEveryAll = 250 * time.Millisecond
	// loadAgents may measure side by side. More would measure each other.
	loadAgents = 4
	// loadTransfers may run at once for one agent: four fill its line, one tells
	// what arrives, and the end of the four before them is noticed only when its
	// news has arrived.
	loadTransfers = 9
	// loadHold keeps an agent's place between the requests of its measurement.
	loadHold = 3 * time.Second
	// loadLimit ends one transfer; the agent itself gives up after 3 s.
	loadLimit = 10 * time.Second
)

// loadRoom lets few agents measure at once, each with a few transfers.
type loadRoom struct {
	now     func() time.Time
	byAgent *limit.Limiter
	all     *limit.Limiter

	mu     sync.Mutex
	guests map[string]*loadGuest
}

// loadGuest is an agent that has a place.
type loadGuest struct {
	running int       // transfers
	until   time.Time // when the place is free again, unless some run
}

func newLoadRoom(now func() time.Time) *loadRoom {
	return &loadRoom{
		now: now, guests: map[string]*loadGuest{},
		byAgent: limit.New(loadEvery, loadBurst, remembered, now),
		all:     limit.New(loadEveryAll, loadBurstAll, 1, now),
	}
}

// enter lets an agent begin a transfer; leave is told how many bytes it moved,
// which may be far fewer than were asked for. The error is a *Fault with the time
// to wait.
func (r *loadRoom) enter(agent string) (leave func(moved int64), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if g := r.guests[agent]; g != nil && g.running >= loadTransfers {
		return nil, loadRefused(http.StatusTooManyRequests, "too_many_requests", "this agent measures already: wait for its transfers to end", loadHold)
	}
	if wait, ok := r.place(agent, now); !ok {
		return nil, loadRefused(http.StatusServiceUnavailable, "load_busy", "other lines are being measured: try again later", wait)
	}
	if wait, ok := r.byAgent.Allow(agent); !ok {
		return nil, loadRefused(http.StatusTooManyRequests, "too_many_requests", "the line was measured a moment ago: try again later", wait)
	}
	if wait, ok := r.all.Allow(""); !ok {
		return nil, loadRefused(http.StatusServiceUnavailable, "load_busy", "other lines were measured a moment ago: try again later", wait)
	}
	g := r.guests[agent]
	if g == nil {
		g = &loadGuest{}
		r.guests[agent] = g
	}
	g.running++
	return func(moved int64) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if more := int((moved+loadUnit-1)/loadUnit) - 1; more > 0 {
			r.byAgent.Charge(agent, more)
			r.all.Charge("", more)
		}
		g.running--
		g.until = r.now().Add(loadHold)
	}, nil
}

// place says whether agent has a place or there is a free one; else how long
// until one may be.
func (r *loadRoom) place(agent string, now time.Time) (wait time.Duration, ok bool) {
	wait = loadHold
	for id, g := range r.guests {
		switch {
		case g.running > 0:
		case !now.Before(g.until):
			delete(r.guests, id)
		default:
			wait = min(wait, g.until.Sub(now))
		}
	}
	return wait, r.guests[agent] != nil || len(r.guests) < loadAgents
}

func loadRefused(status int, code, message string, wait time.Duration) *Fault {
	return &Fault{Status: status, Code: code, Message: message, RetryAfter: wait}
}
