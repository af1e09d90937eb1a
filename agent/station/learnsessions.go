package station

import (
	"context"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
)

const (
	// learnOnConnect is the longest wait before the sessions are requested after a connection to
	// the collector was established: messages may have been missed while there was none.
	learnOnConnect = 2 * time.Minute
	// learnedRecently is the time for which they are not requested again for that reason. A
	// proxy may end connections every minute.
	learnedRecently = 30 * time.Minute
	// learnEvery is the time after which a check of the schedule requests them although the channel
	// did not ask for it. A request is 5.5 kB: before each check it would be 0.07 MB a day.
	learnEvery = 8 * time.Hour
	// learnPause is the shortest time between two requests because of messages.
	learnPause = time.Minute
)

// askSessions requests the sessions after a random wait, at most within. 0 means that a
// connection was established. It does not block: a request that waits already stands for both.
func (c *Conditions) askSessions(within time.Duration) {
	select {
	case c.asks <- within:
	default:
	}
}

func (c *Conditions) noteLearned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learned = c.now()
}

// sinceLearned returns the time since the sessions were last requested.
func (c *Conditions) sinceLearned() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Sub(c.learned).Abs()
}

// now returns the time without its monotonic reading, which stands still while a computer sleeps.
func (c *Conditions) now() time.Time { return c.clock.Now().Round(0) }

// LearnSessions returns the loop of the service that requests the next sessions when the channel
// asks for it. The schedule follows them within a minute: a session that is entered shortly before
// its start still gets its full check.
func LearnSessions(c config.Config, conditions *Conditions, random func() float64, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		return conditions.learn(ctx, random, func(ctx context.Context) {
			if st, err := Open(c, log); err == nil && st.Enrolled() && !c.NoUpload {
				st.learnSessions(ctx)
			}
		})
	}
}

// learn calls request when the channel asks for it.
func (c *Conditions) learn(ctx context.Context, random func() float64, request func(context.Context)) error {
	var due time.Time // zero if nothing was asked
	told := false     // by a message, and not only because of a connection
	for {
		var wait <-chan struct{}
		stop := context.CancelFunc(func() {})
		if !due.IsZero() {
			var until context.Context
			until, stop = context.WithTimeout(ctx, due.Sub(c.now()))
			wait = until.Done()
		}
		select {
		case within := <-c.asks:
			due = c.dueFor(within, due, random)
			told = told || within > 0
		case <-wait:
		case <-ctx.Done():
		}
		stop()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !due.IsZero() && !c.now().Before(due):
			if told || c.sinceLearned() >= learnedRecently { // a check may have requested them meanwhile
				c.noteLearned()
				request(ctx)
			}
			due, told = time.Time{}, false
		}
	}
}

// dueFor returns when to request the sessions after one more was asked. due is the time so far.
func (c *Conditions) dueFor(within time.Duration, due time.Time, random func() float64) time.Time {
	now, since := c.now(), c.sinceLearned()
	if within == 0 {
		if since < learnedRecently || c.inSession(now) {
			return due
		}
		within = learnOnConnect
	}
	next := now.Add(max(time.Duration(random()*float64(within)), learnPause-since))
	if !due.IsZero() && due.Before(next) {
		return due
	}
	return next
}
