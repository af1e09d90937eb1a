package station

import (
	"path/filepath"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Conditions are what the jobs of the service consider before they use the line. They share one.
type Conditions struct {
	// Board has the state of the computer.
	Board *watch.Board

	data  string
	clock probe.Clock

	mu       sync.Mutex
	readAt   time.Time
	sessions []wire.Session
	learned  time.Time // when they were last requested from the collector

	// asks contains the longest waits before they are requested; 0 for a new connection.
	asks chan time.Duration
}

// NewConditions returns the conditions of the service with the folder of c.
func NewConditions(c config.Config, clock probe.Clock) *Conditions {
	return &Conditions{Board: &watch.Board{}, data: c.Data, clock: clock, asks: make(chan time.Duration, 1)}
}

// sparing reports whether the line is metered, or the computer saves power.
func (c *Conditions) sparing() bool { return c.Board.View().Sparing() }

// sessionsEvery is how often the announced sessions are read from the disk.
const sessionsEvery = time.Minute

// inSession reports whether an announced session is in progress or about to begin.
func (c *Conditions) inSession(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now = now.Round(0) // a computer that sleeps has no monotonic clock
	if now.Sub(c.readAt).Abs() >= sessionsEvery {
		c.readAt, c.sessions = now, readTargets(filepath.Join(c.data, targetsFile)).Sessions
	}
	return resident.InSession(c.sessions, now)
}
