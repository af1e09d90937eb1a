package api

import (
	"net/http"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/limit"
)

// Limits of media.load. They reserve the collector's line for conferences and reports. If a check
// would have to wait, the probe reports "unknown".
const (
	// loadUnit is the number of bytes per token of the limiters. One measurement transfers up to
	// 8 MB in each direction in four transfers: about 68 tokens with the messages about arrivals
	// and the data in flight at the end.
	loadUnit = 256 << 10
	// Per agent: two measurements at once, then one per 130 s, 1 Mbit/s.
	loadBurst = 136
	loadEvery = 2 * time.Second
	// In total: 128 MB at once, then 8 Mbit/s.
	loadBurstAll = 512
	loadEveryAll = 250 * time.Millisecond
	// loadAgents limits simultaneous measurements. More of them would distort each other.
	loadAgents = 4
	// loadTransfers limits the simultaneous transfers of an agent: four fill its line, one
	// reports arrivals, and the collector may not yet know that the previous four have ended.
	loadTransfers = 9
	// loadHold reserves the slot of an agent between the requests of its measurement.
	loadHold = 3 * time.Second
	// loadLimit is the timeout of a transfer. The agent ends it after 3 s.
	loadLimit = 10 * time.Second
)

// loadLimiter limits the agents that measure at the same time, and their transfers.
type loadLimiter struct {
	now     func() time.Time
	byAgent *limit.Limiter
	all     *limit.Limiter

	mu        sync.Mutex
	measuring map[string]*measuringAgent
}

// measuringAgent is an agent that measures.
type measuringAgent struct {
	running int       // transfers
	until   time.Time // end of the reservation if none is running
}

func newLoadLimiter(now func() time.Time) *loadLimiter {
	return &loadLimiter{
		now: now, measuring: map[string]*measuringAgent{},
		byAgent: limit.New(loadEvery, loadBurst, remembered, now),
		all:     limit.New(loadEveryAll, loadBurstAll, 1, now),
	}
}

// enter admits a transfer of an agent until leave is called with the number of bytes that were
// transferred, which may be far fewer than requested. The error is a *Fault with the time to wait.
func (r *loadLimiter) enter(agent string) (leave func(moved int64), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if g := r.measuring[agent]; g != nil && g.running >= loadTransfers {
		return nil, loadRefused(http.StatusTooManyRequests, "too_many_requests", "this agent is already measuring: wait for its transfers to end", loadHold)
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
	g := r.measuring[agent]
	if g == nil {
		g = &measuringAgent{}
		r.measuring[agent] = g
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

// place reports whether the agent may measure; otherwise it returns the time until a slot
// may be free.
func (r *loadLimiter) place(agent string, now time.Time) (wait time.Duration, ok bool) {
	wait = loadHold
	for id, g := range r.measuring {
		switch {
		case g.running > 0:
		case !now.Before(g.until):
			delete(r.measuring, id)
		default:
			wait = min(wait, g.until.Sub(now))
		}
	}
	return wait, r.measuring[agent] != nil || len(r.measuring) < loadAgents
}

func loadRefused(status int, code, message string, wait time.Duration) *Fault {
	return &Fault{Status: status, Code: code, Message: message, RetryAfter: wait}
}
