package limit

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// ledger is a database, without the corrections of store.Guesses.
type ledger struct {
	until map[string]time.Time
	err   error
	// Of the last AddGuess.
	cancelled, limited bool
}

func (l *ledger) GuessesUntil(_ context.Context, buckets []string) (map[string]time.Time, error) {
	until := map[string]time.Time{}
	for _, b := range buckets {
		if at, ok := l.until[b]; ok {
			until[b] = at
		}
	}
	return until, l.err
}

func (l *ledger) AddGuess(ctx context.Context, guesses []store.Guess, now time.Time) error {
	_, l.limited = ctx.Deadline()
	l.cancelled = ctx.Err() != nil
	if l.err != nil {
		return l.err
	}
	for _, g := range guesses {
		from := l.until[g.Bucket]
		if from.Before(now) {
			from = now
		}
		l.until[g.Bucket] = from.Add(g.Cost)
	}
	return nil
}

func (l *ledger) ForgetGuesses(_ context.Context, buckets []string) error {
	maps.DeleteFunc(l.until, func(b string, _ time.Time) bool {
		for _, forgotten := range buckets {
			if b == forgotten {
				return true
			}
		}
		return false
	})
	return l.err
}

// process is one of several that share a ledger.
type process struct {
	*Shared
	limiter *Limiter
	clock   time.Time
}

const (
	sharedBurst = 4
	sharedEvery = 10 * time.Second
)

func newProcess(l *ledger) *process {
	p := &process{clock: time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)}
	now := func() time.Time { return p.clock }
	p.limiter = New(sharedEvery, sharedBurst, 100, now)
	p.Shared = NewShared(l, []byte("key"), now)
	return p
}

func (p *process) bucket(key string) Bucket {
	return Bucket{Limiter: p.limiter, Name: "name", Key: key}
}

// wrong makes failed attempts until one is refused, at most n.
func (p *process) wrong(t *testing.T, key string, n int) (made int, wait time.Duration) {
	t.Helper()
	for made = range n {
		wait, _, err := p.Allow(t.Context(), p.bucket(key))
		if err != nil {
			t.Fatal(err)
		}
		if wait > 0 {
			return made, wait
		}
		if err := p.Fail(t.Context(), p.bucket(key)); err != nil {
			t.Fatal(err)
		}
	}
	return n, 0
}

func TestSharedCountsAsOne(t *testing.T) {
	l := &ledger{until: map[string]time.Time{}}
	one, two := newProcess(l), newProcess(l)
	if n, _ := one.wrong(t, "a", 3); n != 3 {
		t.Fatalf("got %d attempts, want 3", n)
	}
	if n, wait := two.wrong(t, "a", 10); n != 1 || wait != sharedEvery {
		t.Errorf("got %d attempts and then %v, want 1 and then %v", n, wait, sharedEvery)
	}
	if n, _ := two.wrong(t, "b", 10); n != sharedBurst {
		t.Errorf("another key: got %d attempts, want %d", n, sharedBurst)
	}
	for _, p := range []*process{one, two} {
		p.clock = p.clock.Add(sharedEvery)
	}
	if n, _ := one.wrong(t, "a", 10); n != 1 {
		t.Errorf("after the wait: got %d attempts, want 1", n)
	}
	// A right attempt refunds those before it, at all processes.
	for _, p := range []*process{one, two} {
		p.clock = p.clock.Add(sharedEvery)
	}
	wait, failed, err := two.Allow(t.Context(), two.bucket("a"))
	if wait > 0 || !failed || err != nil {
		t.Fatalf("got %v, %t, %v, want an attempt after failed ones", wait, failed, err)
	}
	if err := two.Forget(t.Context(), failed, two.bucket("a")); err != nil {
		t.Fatal(err)
	}
	if n, _ := two.wrong(t, "a", 10); n != sharedBurst {
		t.Errorf("after a right one: got %d attempts, want %d", n, sharedBurst)
	}
}

// TestSharedAndWrongClocks: a process with a wrong clock applies the limit to its own attempts only, and
// nobody is locked out.
func TestSharedAndWrongClocks(t *testing.T) {
	for name, jump := range map[string]time.Duration{"ahead": 24 * time.Hour, "behind": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{until: map[string]time.Time{}}
			wrong, right := newProcess(l), newProcess(l)
			wrong.clock = wrong.clock.Add(jump)
			if n, _ := wrong.wrong(t, "a", 10); n != sharedBurst {
				t.Errorf("the process itself: got %d attempts, want %d", n, sharedBurst)
			}
			if n, _ := right.wrong(t, "a", 10); n != sharedBurst {
				t.Errorf("the others: got %d attempts, want %d", n, sharedBurst)
			}
		})
	}
	t.Run("slightly ahead", func(t *testing.T) {
		l := &ledger{until: map[string]time.Time{}}
		ahead, right := newProcess(l), newProcess(l)
		ahead.clock = ahead.clock.Add(store.GuessClockSkew)
		ahead.wrong(t, "a", sharedBurst)
		if n, wait := right.wrong(t, "a", 10); n != 0 || wait != sharedEvery {
			t.Errorf("got %d attempts and then %v, want none and %v", n, wait, sharedEvery)
		}
	})
	t.Run("set back", func(t *testing.T) {
		l := &ledger{until: map[string]time.Time{}}
		p := newProcess(l)
		p.wrong(t, "a", sharedBurst-1)
		p.clock = p.clock.Add(-24 * time.Hour)
		if n, _ := p.wrong(t, "a", 10); n != 1 {
			t.Errorf("got %d attempts, want 1", n)
		}
	})
}

// TestSharedWithoutALedger: while the database fails, nothing can be tried, and the attempts do not
// count at other processes afterwards.
func TestSharedWithoutALedger(t *testing.T) {
	l := &ledger{until: map[string]time.Time{}}
	one, two := newProcess(l), newProcess(l)
	l.err = errors.New("no database")
	for range sharedBurst {
		if wait, _, err := one.Allow(t.Context(), one.bucket("a")); wait > 0 || !errors.Is(err, l.err) {
			t.Errorf("got %v, %v, want the database's error", wait, err)
		}
	}
	if wait, _, _ := one.Allow(t.Context(), one.bucket("a")); wait <= 0 {
		t.Error("the process permits more than its own limit")
	}
	if err := one.Fail(t.Context(), one.bucket("a")); !errors.Is(err, l.err) {
		t.Errorf("got error %v: the client must not receive the result, want %v", err, l.err)
	}
	l.err = nil
	if n, _ := two.wrong(t, "a", 10); n != sharedBurst {
		t.Errorf("after the failure: got %d attempts, want %d", n, sharedBurst)
	}
}

// TestSharedChargesAClientThatLeaves: closing the connection does not avoid the charge, and a slow
// database does not keep the request for ever.
func TestSharedChargesAClientThatLeaves(t *testing.T) {
	l := &ledger{until: map[string]time.Time{}}
	p := newProcess(l)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Fail(ctx, p.bucket("a")); err != nil {
		t.Fatal(err)
	}
	if l.cancelled || !l.limited || len(l.until) != 1 {
		t.Errorf("cancelled: %t, with a deadline: %t, stored: %d", l.cancelled, l.limited, len(l.until))
	}
	for fingerprint := range l.until {
		if other := NewShared(l, []byte("other key"), nil).fingerprint(p.bucket("a")); fingerprint == other || fingerprint == "a" {
			t.Errorf("the fingerprint %q does not depend on the key", fingerprint)
		}
	}
}
