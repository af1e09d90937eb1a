package station

import (
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Conditions is the state that the jobs of the service check before they use the line. All jobs share
// one Conditions.
type Conditions struct {
	// Board contains the state of the computer.
	Board *watch.Board

	data  string
	clock probe.Clock

	mu       sync.Mutex
	readAt   time.Time
	sessions []wire.Session
	learned  time.Time // start of the last successful request for the sessions
	tried    time.Time // start of the last request for the sessions
	pending  sessionRequest

	// wake contains a value while pending was not read.
	wake chan struct{}
}

// NewConditions returns the conditions of the service with the folder of c.
func NewConditions(c config.Config, clock probe.Clock) *Conditions {
	return &Conditions{Board: &watch.Board{}, data: c.Data, clock: clock, wake: make(chan struct{}, 1)}
}

// sparing reports whether to send less, because the line is metered or the computer saves power.
func (c *Conditions) sparing() bool { return c.Board.View().Sparing() }

// sessionsEvery is how often the announced sessions are read from the disk.
const sessionsEvery = time.Minute

// inSession reports whether an announced session is in progress or about to begin.
func (c *Conditions) inSession(now time.Time) bool { return c.session(now) != nil }

// session returns the announced session that is in progress or about to begin; nil if there is none.
func (c *Conditions) session(now time.Time) *wire.Session {
	now = now.Round(0) // the monotonic clock stands still while a computer sleeps
	return resident.CurrentSession(c.announced(now), now)
}

// sessionWithin reports whether an announced session starts in that time.
func (c *Conditions) sessionWithin(now time.Time, in time.Duration) bool {
	now = now.Round(0)
	return slices.ContainsFunc(c.announced(now), func(s wire.Session) bool {
		return s.StartsAt.After(now) && !s.StartsAt.After(now.Add(in))
	})
}

// announced returns the sessions that the collector announced last. The caller must not
// change them.
func (c *Conditions) announced(now time.Time) []wire.Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.readAt).Abs() >= sessionsEvery {
		c.readAt, c.sessions = now, readTargets(filepath.Join(c.data, targetsFile)).Sessions
	}
	return c.sessions
}
