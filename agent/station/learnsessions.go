package station

import (
	"context"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
)

const (
	// learnOnConnect is the longest wait between a new connection to the collector and the request for
	// the sessions, which is necessary because messages may have been missed without a connection.
	learnOnConnect = 2 * time.Minute
	// connectRefill and connectBurst limit the requests for that reason: three in quick succession,
	// then one every half hour. A proxy may end connections every minute.
	connectRefill = 30 * time.Minute
	connectBurst  = 3
	// learnEvery is the time after which a scheduled check requests the sessions even without a
	// message. A request is 5.5 kB: before each check it would be 0.07 MB a day.
	learnEvery = 8 * time.Hour
	// learnPause is the shortest time between two requests because of messages.
	learnPause = time.Minute
	// A request that failed is repeated after learnRetry to learnRetryLongest, then after twice as
	// long each time, at most after learnRetryMax.
	learnRetry        = time.Minute
	learnRetryLongest = 5 * time.Minute
	learnRetryMax     = 30 * time.Minute
)

// sessionRequest contains the reasons for a request for the sessions.
type sessionRequest struct {
	within    time.Duration // the longest wait that a message permits; 0 without a message
	connected bool          // a connection was established
}

// requestSessions makes learn request the sessions after a random wait of at most within. 0 means that
// a connection was established. It does not block: requests that wait are combined.
func (c *Conditions) requestSessions(within time.Duration) {
	c.mu.Lock()
	switch {
	case within <= 0:
		c.pending.connected = true
	case c.pending.within == 0 || within < c.pending.within:
		c.pending.within = within
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // learn has not yet read the previous request
	}
}

// takeRequest returns the request since the last call.
func (c *Conditions) takeRequest() sessionRequest {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.pending
	c.pending = sessionRequest{}
	return a
}

// learnBy calls request and records its time, and whether it succeeded.
func (c *Conditions) learnBy(ctx context.Context, request func(context.Context) error) error {
	begun := c.now()
	c.mu.Lock()
	c.tried = begun
	c.mu.Unlock()
	err := request(ctx)
	if err == nil {
		c.mu.Lock()
		c.learned = begun
		c.mu.Unlock()
	}
	return err
}

// sinceLearned returns the time since the last request for the sessions that succeeded.
func (c *Conditions) sinceLearned() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Sub(c.learned).Abs()
}

// sinceTried returns the time since the last request for the sessions.
func (c *Conditions) sinceTried() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Sub(c.tried).Abs()
}

// learnedAfter reports whether the sessions were learned after a time. A time in the future, caused
// by a wrong clock, does not count.
func (c *Conditions) learnedAfter(at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.learned.After(at) && !c.learned.After(c.now())
}

// now returns the time without its monotonic reading, which stands still while a computer sleeps.
func (c *Conditions) now() time.Time { return c.clock.Now().Round(0) }

// LearnSessions returns the loop of the service that requests the next sessions when a message of the
// channel requires it. The schedule adopts them within a minute, so a session that is entered shortly
// before its start still gets its full check.
func LearnSessions(c config.Config, conditions *Conditions, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		return conditions.learn(ctx, random, func(ctx context.Context) error {
			st, err := Open(c, log)
			if err != nil || !st.Enrolled() || c.NoUpload {
				return err
			}
			return st.learnSessions(ctx)
		})
	}
}

// learn calls request when a message of the channel requires it, and again if it fails.
func (c *Conditions) learn(ctx context.Context, random func() float64, request func(context.Context) error) error {
	w := learnWait{conditions: c, random: random}
	for {
		var wait <-chan struct{}
		stop := context.CancelFunc(func() {})
		if !w.due.IsZero() {
			var until context.Context
			until, stop = context.WithTimeout(ctx, w.due.Sub(c.now()))
			wait = until.Done()
		}
		select {
		case <-c.wake:
			w.add(c.takeRequest())
		case <-wait:
		case <-ctx.Done():
		}
		stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if w.begin() {
			w.end(c.learnBy(ctx, request))
		}
	}
}

// learnWait describes a request for the sessions that has not been sent yet.
type learnWait struct {
	conditions *Conditions
	random     func() float64

	due       time.Time // of the request; zero if there is no reason for one
	added     time.Time // when the last reason was added
	urgent    bool      // a message is one of the reasons
	connected bool      // a new connection is one of the reasons
	failures  int       // in a row
	refilled  time.Time // when connectBurst requests after connections are possible again; see used
}

// add determines when to request the sessions after another reason was added.
func (w *learnWait) add(a sessionRequest) {
	now := w.conditions.now()
	pause := learnPause - w.conditions.sinceTried()
	w.added = now
	if a.within > 0 {
		w.urgent = true
		w.notAfter(now.Add(max(w.wait(a.within), pause)))
	}
	if a.connected {
		w.connected = true
		empty := max(w.used(now)-(connectBurst-1)*connectRefill, 0) // until another request is possible
		w.notAfter(now.Add(empty + max(w.wait(learnOnConnect), pause)))
	}
}

// used returns the time until connectBurst requests after connections are possible again. It is limited
// to the time that connectBurst requests use up: a longer one is the result of a wrong clock.
func (w *learnWait) used(now time.Time) time.Duration {
	return min(max(w.refilled.Sub(now), 0), connectBurst*connectRefill)
}

// wait returns a random time, at most longest.
func (w *learnWait) wait(longest time.Duration) time.Duration {
	return time.Duration(w.random() * float64(longest))
}

func (w *learnWait) notAfter(at time.Time) {
	if w.due.IsZero() || at.Before(w.due) {
		w.due = at
	}
}

// begin reports whether to request the sessions now. A request after a connection waits for the end of
// a session.
func (w *learnWait) begin() bool {
	c, now := w.conditions, w.conditions.now()
	if w.due.IsZero() || now.Before(w.due) {
		return false
	}
	if c.learnedAfter(w.added) { // a check has requested them
		w.end(nil)
		return false
	}
	if s := c.session(now); s != nil && !w.urgent {
		w.due = resident.Ends(*s).Add(w.wait(learnOnConnect))
		return false
	}
	if w.connected {
		w.refilled = now.Add(w.used(now) + connectRefill)
	}
	return true
}

// end determines the next request after the result of one.
func (w *learnWait) end(err error) {
	if err == nil {
		w.due, w.urgent, w.connected, w.failures = time.Time{}, false, false, 0
		return
	}
	again := learnRetry + w.wait(learnRetryLongest-learnRetry)
	w.due = w.conditions.now().Add(min(again<<min(w.failures, 5), learnRetryMax))
	w.failures, w.connected = w.failures+1, false
}
