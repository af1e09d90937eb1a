package cluster

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// batch is what is sent together.
type batch struct {
	events  []event
	missed  bool
	changed []string
	all     bool
	orders  []addressed
	request []string
}

func (b batch) empty() bool {
	return len(b.events) == 0 && !b.missed && len(b.changed) == 0 && !b.all && len(b.orders) == 0 && len(b.request) == 0
}

// take returns what waits to be sent.
func (c *Cluster) take(beating bool) batch {
	c.mu.Lock()
	defer c.mu.Unlock()
	if beating {
		for name, o := range c.others {
			if o.incomplete && !slices.Contains(c.request, name) {
				c.request = append(c.request, name)
			}
		}
	}
	b := batch{events: c.events, missed: c.missed, all: c.all, orders: c.orders, request: c.request, changed: slices.Collect(maps.Keys(c.changed))}
	c.events, c.missed, c.all, c.orders, c.request = nil, false, false, nil, nil
	clear(c.changed)
	return b
}

// giveBack puts the orders of a batch that could not be sent back into the queue. From the gap in the
// serials, the others detect that they have missed the rest.
func (c *Cluster) giveBack(b batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders = append(b.orders, c.orders...)
	c.orders = c.orders[:min(len(c.orders), maxOrders)]
	c.request = append(b.request, c.request...)
	c.leads = false
}

// send sends what has changed, and the heartbeats.
func (c *Cluster) send(ctx context.Context) {
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	serial := uint64(0)
	wait := firstPause
	c.lead(ctx)
	for beating := true; ; {
		b := c.take(beating)
		if beating || !b.empty() {
			if err := c.sendBatch(ctx, &serial, b, beating); err != nil {
				if ctx.Err() == nil {
					c.giveBack(b)
					c.Log.Warn("other collectors cannot be reached", "retry_in", wait, "err", err)
					wait = pause(ctx, wait)
				}
			} else {
				wait = firstPause
			}
		}
		beating = false
		select {
		case <-ctx.Done():
			c.leave(ctx, &serial)
			return
		case <-beat.C:
			beating = true
			c.lead(ctx)
		case <-c.wake:
			pause(ctx, collectFor)
		}
	}
}

func (c *Cluster) sendBatch(ctx context.Context, serial *uint64, b batch, beating bool) error {
	all := c.pack(b)
	if beating {
		if len(all) == 0 {
			all = []message{{}}
		}
		all[0].Targets = c.digest()
	}
	return c.sendAll(ctx, serial, all)
}

func (c *Cluster) sendAll(ctx context.Context, serial *uint64, all []message) error {
	texts := make([]string, 0, len(all))
	for _, m := range all {
		*serial++
		m.Serial, m.At = *serial, c.Now().UnixMilli()
		text, err := c.codec.seal(m)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return c.Bus.Send(ctx, texts)
}

// leave sends the last message, which announces that this collector stops.
func (c *Cluster) leave(ctx context.Context, serial *uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	all := c.pack(c.take(false))
	if err := c.sendAll(ctx, serial, append(all, message{Leaving: true})); err != nil {
		c.Log.Warn("the stop could not be announced to other collectors", "err", err)
	}
}

func (c *Cluster) lead(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	leads, err := c.Bus.Lead(ctx)
	c.mu.Lock()
	before := c.leads
	c.leads = leads && err == nil
	c.mu.Unlock()
	if leads && err == nil && !before {
		c.Log.Info("this collector deletes expired data and does all other work that only one of them does")
	}
}

// pack returns a batch as messages. Orders come last, because they refer to the states before them.
func (c *Cluster) pack(b batch) []message {
	var p packer
	for _, name := range b.request {
		m := p.room(len(name) + 3)
		m.Request = append(m.Request, name)
	}
	if b.missed {
		p.room(16).Missed = true
	}
	for _, e := range b.events {
		if raw := c.item(e); raw != nil {
			m := p.room(len(raw))
			m.Events = append(m.Events, raw)
		}
	}
	if b.all {
		p.all = append(p.all, message{Begin: true})
		p.size = overhead
		b.changed = append(b.changed, c.Agents.Known()...)
		slices.Sort(b.changed)
		b.changed = slices.Compact(b.changed)
	}
	for ids := range slices.Chunk(b.changed, announcedAtOnce) {
		for _, n := range c.Agents.Announce(ids) {
			if raw := c.item(n); raw != nil {
				m := p.room(len(raw))
				m.Agents = append(m.Agents, raw)
			}
		}
	}
	if b.all {
		p.room(16).End = true
	}
	for _, o := range b.orders {
		if raw := c.item(o); raw != nil {
			m := p.room(len(raw))
			m.Orders = append(m.Orders, raw)
		}
	}
	return p.all
}

// item encodes v; nil if that is not possible.
func (c *Cluster) item(v any) json.RawMessage {
	raw, err := item(v)
	if err != nil {
		c.Log.Error("not sent to other collectors", "err", err)
		return nil
	}
	return raw
}
