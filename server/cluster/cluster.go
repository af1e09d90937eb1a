// Package cluster connects the collectors that share one database: their live events, the agents that
// are connected to them, and the work that only one of them does.
//
// Each collector sends a heartbeat every second, and the state of an agent when it changes. The others
// keep what they have received, and drop it when a collector has been silent for silentAfter. Messages
// are numbered: after a gap, the pages read everything again, and the sender repeats the states of its
// agents.
package cluster

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/live"
)

const (
	heartbeatEvery = time.Second
	// silentAfter is how long a collector may be silent before its agents count as disconnected.
	silentAfter = 4 * time.Second
	sweepEvery  = 250 * time.Millisecond
	// collectFor is how long changes are collected before they are sent together.
	collectFor = 10 * time.Millisecond
	// reconnectAfter is how long a collector may not receive its own heartbeats before it connects
	// again to listen.
	reconnectAfter = 4 * time.Second
	// sendTimeout limits the sending of one batch, in case the connection no longer works.
	sendTimeout = 2 * time.Second
	// leaveTimeout limits the sending of the last message, which announces the stop.
	leaveTimeout = time.Second
	// maxClockDifference is how far the time in a message may be from that of the receiver.
	maxClockDifference = 30 * time.Second
	// rememberFor is how long the last serial of a collector is kept after its last message. The clock
	// of that collector may have been ahead by maxClockDifference; after rememberFor, a repeated
	// message is refused because of its time.
	rememberFor = 2 * maxClockDifference
)

// Pauses between attempts to connect to the bus.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// Limits of what waits to be sent.
const (
	maxEvents = 4000
	maxOrders = 2000
	// announcedAtOnce is the number of agents whose states are read at once.
	announcedAtOnce = 500
)

// Bus carries texts between the collectors of a database. Each of its methods is called by one
// goroutine only.
type Bus interface {
	// Listen calls ready once it is connected, and then passes all texts, including those of this
	// collector, to received, until ctx is done or the connection is lost.
	Listen(ctx context.Context, ready func(), received func(text string)) error
	// Send sends texts, each of up to 8,000 bytes, in their order.
	Send(ctx context.Context, texts []string) error
	// Lead tries to become the collector that does the work that only one of them does, and reports
	// whether it is. This role ends at the latest with the connection that Send uses.
	Lead(ctx context.Context) (bool, error)
	// Close ends the connections.
	Close()
}

// Config configures New. All fields are required.
type Config struct {
	Bus Bus
	// Key is the same at all collectors of the database.
	Key    []byte
	Hub    *live.Hub
	Agents *live.Agents
	// Targets returns the content of the list of conference systems, which must be the same at all
	// collectors. Only a digest is sent.
	Targets func() []byte
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger
}

// Cluster is this collector among the others of its database.
type Cluster struct {
	Config
	codec codec
	stop  context.CancelFunc
	done  sync.WaitGroup

	wake chan struct{} // contains an element if something waits to be sent

	mu      sync.Mutex
	events  []event
	missed  bool // events were not sent
	changed map[string]struct{}
	orders  []addressed
	request []string // collectors whose states are needed
	all     bool     // the states of all agents are to be sent
	others  map[string]*other
	gone    map[string]last // collectors that have left or are silent, for rememberFor
	ownAt   time.Time       // when this collector's own last message arrived
	leads   bool
	ignored int  // foreign messages
	skewed  bool // the time of a message has differed too much
}

// last is what is kept of a collector that has left or is silent.
type last struct {
	serial  uint64
	heardAt time.Time
}

// other is another collector.
type other struct {
	serial  uint64
	heardAt time.Time
	begin   uint64 // serial with which the present repetition of all states has begun
	// incomplete is set until all states have arrived. They are requested again with each heartbeat,
	// because the other collector may not have been listening.
	incomplete bool
	targets    string
}

// New returns a Cluster. Start connects it.
func New(c Config) (*Cluster, error) {
	id := make([]byte, idBytes)
	if _, err := io.ReadFull(c.Random, id); err != nil {
		return nil, fmt.Errorf("generate the name of this collector: %w", err)
	}
	return &Cluster{Config: c, codec: codec{name: hex.EncodeToString(id), key: c.Key},
		wake: make(chan struct{}, 1), changed: map[string]struct{}{}, others: map[string]*other{}, gone: map[string]last{}}, nil
}

// Start connects the hub and the agents with the other collectors, until Close.
func (c *Cluster) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	c.Hub.Relay(c.publish)
	c.Agents.Join(c, c.codec.name)
	c.done.Go(func() { c.listen(ctx) })
	c.done.Go(func() { c.send(ctx) })
	c.done.Go(func() { c.sweep(ctx) })
}

// Close sends the last message, which announces the stop, and ends. The agents must have been
// disconnected before.
func (c *Cluster) Close() {
	if c.stop != nil {
		c.stop()
	}
	c.done.Wait()
	c.Bus.Close()
}

// Others returns the number of other collectors whose messages arrive.
func (c *Cluster) Others() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.others)
}

// Ignored returns the number of notifications that were not from a collector with the same key, were
// repeated, or were of another time.
func (c *Cluster) Ignored() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ignored
}

// Leads reports whether this collector does what only one of them does.
func (c *Cluster) Leads() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leads
}

func (c *Cluster) awake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// publish passes an event of this collector to the others.
func (c *Cluster) publish(e live.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := event{Kind: e.Kind, ParticipantID: e.ParticipantID, ReportID: e.ReportID}
	switch {
	case slices.Contains(c.events[max(0, len(c.events)-20):], next):
		return
	case len(c.events) >= maxEvents:
		c.events, c.missed = nil, true
	case !c.missed:
		c.events = append(c.events, next)
	}
	c.awake()
}

// Changed implements live.Cluster.
func (c *Cluster) Changed(agentID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed[agentID] = struct{}{}
	c.awake()
}

// Send implements live.Cluster.
func (c *Cluster) Send(to string, o live.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.orders) < maxOrders {
		c.orders = append(c.orders, addressed{To: to, Order: o})
	}
	c.awake()
}

// digest returns a keyed digest of the list of conference systems, which does not reveal the list.
func (c *Cluster) digest() string {
	m := hmac.New(sha256.New, c.Key)
	_, _ = m.Write([]byte("targets "))
	_, _ = m.Write(c.Targets())
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// sweep drops collectors that are silent.
func (c *Cluster) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		c.dropSilent()
		c.Agents.Tidy()
	}
}

func (c *Cluster) dropSilent() {
	now := c.Now()
	var silent []string
	c.mu.Lock()
	for name, o := range c.others {
		if now.Sub(o.heardAt) >= silentAfter {
			silent = append(silent, name)
			c.drop(name)
		}
	}
	for name, l := range c.gone {
		if now.Sub(l.heardAt) > rememberFor {
			delete(c.gone, name)
		}
	}
	left := len(c.others)
	c.mu.Unlock()
	for _, name := range silent {
		c.Log.Warn("another collector is no longer heard", "collector", name, "others", left)
		c.Agents.Lost(name)
	}
}

// drop removes another collector, but keeps its serial. The caller holds c.mu.
func (c *Cluster) drop(name string) {
	if o := c.others[name]; o != nil {
		c.gone[name] = last{o.serial, o.heardAt}
		delete(c.others, name)
	}
}

// pause waits before the next attempt to connect, and returns the pause after that.
func pause(ctx context.Context, d time.Duration) time.Duration {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return min(2*d, longestPause)
}
