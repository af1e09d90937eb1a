package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/server/live"
)

// everyone in message.Request means all collectors.
const everyone = "*"

// listen listens to the others, and connects again when the connection is lost or silent.
func (c *Cluster) listen(ctx context.Context) {
	wait := firstPause
	for first := true; ctx.Err() == nil; first = false {
		err := c.listenOnce(ctx, first, func() { wait = firstPause })
		if ctx.Err() != nil {
			return
		}
		c.Log.Warn("other collectors are not heard: connecting again", "retry_in", wait, "err", err)
		wait = pause(ctx, wait)
	}
}

func (c *Cluster) listenOnce(ctx context.Context, first bool, connected func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return c.Bus.Listen(ctx, func() {
		connected()
		c.mu.Lock()
		c.ownAt = c.Now()
		c.request = []string{everyone}
		c.mu.Unlock()
		c.awake()
		if !first {
			c.resync()
		}
		go c.watchSilence(ctx, cancel)
	}, c.receive)
}

// watchSilence ends a connection on which not even this collector's own heartbeats arrive.
func (c *Cluster) watchSilence(ctx context.Context, end context.CancelFunc) {
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		silent := c.Now().Sub(c.ownAt)
		c.mu.Unlock()
		if silent >= reconnectAfter {
			end()
			return
		}
	}
}

// resync makes all pages read everything again.
func (c *Cluster) resync() { c.Hub.Deliver(live.Event{Kind: live.Resync, At: c.Now()}) }

// receive processes a notification.
func (c *Cluster) receive(text string) {
	from, m, own, err := c.codec.open(text)
	now := c.Now()
	c.mu.Lock()
	if err != nil {
		c.ignored++
		first := c.ignored == 1
		c.mu.Unlock()
		if first {
			c.Log.Warn("a notification of another program, or of a collector of another version, is ignored; this is reported once", "bytes", len(text))
		}
		return
	}
	if own {
		c.ownAt = now
		c.mu.Unlock()
		return
	}
	if difference := now.Sub(time.UnixMilli(m.At)); difference.Abs() > maxClockDifference {
		c.ignored++
		first := !c.skewed
		c.skewed = true
		c.mu.Unlock()
		if first {
			c.Log.Warn("a message of another collector is ignored because of its time: synchronise the clocks of the servers, or another program repeats messages; this is reported once",
				"collector", from, "difference", difference.Round(time.Second))
		}
		return
	}
	o := c.others[from]
	joined := o == nil
	heard := c.gone[from].serial
	if !joined {
		heard = o.serial
	}
	if m.Serial <= heard {
		c.ignored++
		c.mu.Unlock()
		return // repeated by another program
	}
	if joined {
		o = &other{serial: m.Serial - 1}
		c.others[from] = o
		delete(c.gone, from)
	}
	gap := m.Serial != o.serial+1
	if gap || joined {
		o.begin, o.incomplete = 0, true
		c.request = append(c.request, from)
		c.awake()
	}
	o.serial, o.heardAt = m.Serial, now
	if m.Leaving {
		c.drop(from)
	}
	if slices.Contains(m.Request, c.codec.name) || slices.Contains(m.Request, everyone) {
		c.all = true
		c.awake()
	}
	if m.Begin {
		o.begin = m.Serial
	}
	whole := m.End && o.begin > 0
	if whole {
		o.incomplete = false
	}
	begin, others := o.begin, len(c.others)
	warn := m.Targets != "" && m.Targets != o.targets
	if warn {
		o.targets = m.Targets
	}
	c.mu.Unlock()

	switch {
	case joined:
		c.Log.Info("another collector of this database is heard", "collector", from, "others", others)
	case m.Leaving:
		c.Log.Info("another collector has stopped", "collector", from, "others", others)
	}
	if joined || gap || m.Missed {
		c.resync()
	}
	if warn && m.Targets != c.digest() {
		c.Log.Warn("another collector has other conference systems: copy targets.json, which is in the data directory, to all collectors", "collector", from)
	}
	for _, e := range decoded[event](m.Events) {
		c.Hub.Deliver(live.Event{Kind: e.Kind, ParticipantID: e.ParticipantID, ReportID: e.ReportID, At: now})
	}
	c.Agents.Hear(from, m.Serial, decoded[live.Announcement](m.Agents))
	if whole {
		c.Agents.Forget(from, begin)
	}
	for _, a := range decoded[addressed](m.Orders) {
		if a.To == "" || a.To == c.codec.name {
			c.Agents.Obey(from, a.Order)
		}
	}
	if m.Leaving {
		c.Agents.Lost(from)
	}
}
