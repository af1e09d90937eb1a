// Package limit limits what one client can take: requests by key (an address, an agent, a name),
// and open connections by site.
package limit

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter has a token bucket for each key. It stores a limited number of keys and removes the least
// recently used one, so that a flood of forged keys needs a fixed amount of memory.
type Limiter struct {
	every time.Duration
	burst int
	most  int
	now   func() time.Time

	mu     sync.Mutex
	recent *list.List // of *bucket, most recently used first
	byKey  map[string]*list.Element
}

type bucket struct {
	key     string
	limiter *rate.Limiter
}

// New allows each key burst calls at once and one more after each interval of every. most is the
// number of stored keys.
func New(every time.Duration, burst, most int, now func() time.Time) *Limiter {
	return &Limiter{every: every, burst: burst, most: most, now: now,
		recent: list.New(), byKey: map[string]*list.Element{}}
}

// Allow takes one call from the key's bucket. If it is empty, retryAfter is the time until the next
// call is allowed; asking does not extend it.
func (l *Limiter) Allow(key string) (retryAfter time.Duration, ok bool) { return l.AllowN(key, 1) }

// AllowN is Allow for an operation with the cost of n calls, at most the burst.
func (l *Limiter) AllowN(key string, n int) (retryAfter time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	r := l.bucket(key).ReserveN(now, min(n, l.burst))
	if wait := r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// Charge takes n calls, at most the burst, from the key's bucket even if it becomes negative: later
// calls wait. It is for work whose size is known only afterwards.
func (l *Limiter) Charge(key string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(key).ReserveN(l.now(), min(n, l.burst))
}

// Forget fills the key's bucket.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byKey[key]; ok {
		l.recent.Remove(e)
		delete(l.byKey, key)
	}
}

func (l *Limiter) bucket(key string) *rate.Limiter {
	if e, ok := l.byKey[key]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket).limiter
	}
	if l.recent.Len() >= l.most {
		oldest := l.recent.Back()
		l.recent.Remove(oldest)
		delete(l.byKey, oldest.Value.(*bucket).key)
	}
	b := &bucket{key: key, limiter: rate.NewLimiter(rate.Every(l.every), l.burst)}
	l.byKey[key] = l.recent.PushFront(b)
	return b.limiter
}

// NetworkKey is the key of the network around an address that one customer may own: an IPv4 /24 or
// an IPv6 /48.
func NetworkKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a.String()
	}
	return p.String()
}

// AddressKey is the key of an address: a single IPv4 host, or an IPv6 /64, which belongs to one
// subscriber.
func AddressKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
