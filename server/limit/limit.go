// Package limit slows down whoever asks too often, by key: an address, an
// agent, a name.
package limit

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter gives each key a bucket of its own. It holds a bounded number of
// keys and forgets the one that was quiet for longest, so that a flood of
// forged keys costs a fixed amount of memory.
type Limiter struct {
	every time.Duration
	burst int
	most  int
	now   func() time.Time

	mu     sync.Mutex
	recent *list.List // of *bucket, last used in front
	byKey  map[string]*list.Element
}

type bucket struct {
	key     string
	limiter *rate.Limiter
}

// New allows each key burst calls at once and one more after each every. most
// is how many keys are remembered.
func New(every time.Duration, burst, most int, now func() time.Time) *Limiter {
	return &Limiter{every: every, burst: burst, most: most, now: now,
		recent: list.New(), byKey: map[string]*list.Element{}}
}

// Allow takes one call from the key's bucket. When it is empty, retryAfter is
// how long until the next call will be allowed; asking does not make it longer.
func (l *Limiter) Allow(key string) (retryAfter time.Duration, ok bool) { return l.AllowN(key, 1) }

// AllowN is Allow for what costs as much as n calls, at most the burst.
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

// Charge takes n calls, at most the burst, from the key's bucket although they may
// not be there: later calls wait for what is owed. It is for work whose size is
// known only when it is done.
func (l *Limiter) Charge(key string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(key).ReserveN(l.now(), min(n, l.burst))
}

// Forget gives the key a full bucket again.
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

// NetworkKey is the key of the network around an address that one customer may
// own: an IPv4 /24 or an IPv6 /48.
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

// AddressKey is the key of an address: a single IPv4 host, or an IPv6 /64,
// since one subscriber owns all of the latter.
func AddressKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
