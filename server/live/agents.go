package live

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Agents manages the agents that are connected to the collectors of the database, and the retests that
// staff have requested from them. Retests exist in memory only: they end within minutes, and their reports are
// delivered like all others.
type Agents struct {
	AgentsConfig

	mu       sync.Mutex
	byID     map[string]*agent
	outdated map[string]time.Time // when a former token was last used, by agent
	cluster  Cluster              // nil without other collectors
	name     string               // of this collector
	remote   map[string][]remote  // what other collectors have announced, by agent
	waiting  map[string]chan error
	closed   bool
}

// AgentsConfig configures NewAgents. All fields are required.
type AgentsConfig struct {
	Hub    *Hub
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
}

// NewAgents returns Agents without connections.
func NewAgents(c AgentsConfig) *Agents {
	return &Agents{AgentsConfig: c, byID: map[string]*agent{}, outdated: map[string]time.Time{},
		remote: map[string][]remote{}, waiting: map[string]chan error{}}
}

// agent is an agent with connections or a recent retest.
type agent struct {
	id, participant string
	links           []*Link // the oldest first
	retest          *retest // the current or last one
	copies          copies
	copiedAt        time.Time // when two machines were last found to use the same identity
	contact         string    // instance of the last contact, if it must be announced
}

// maxLinks limits the connections of one agent. The service and a program of each signed-in person
// may be connected; a new connection displaces the oldest one that polls, otherwise the oldest one.
const maxLinks = 4

func (r *retest) request() wire.ChannelMessage {
	expires := r.ExpiresAt.UTC()
	return wire.ChannelMessage{Type: wire.MessageRetest, ID: r.ID, What: r.What, By: r.By, ExpiresAt: &expires}
}

// forget removes an agent without connections and without a retest.
func (a *Agents) forget(w *agent) {
	if len(w.links) == 0 && w.retest == nil && a.byID[w.id] == w {
		delete(a.byID, w.id)
	}
}

// noteContact records contact with an instance of an agent, and detects copies of its identity.
func (a *Agents) noteContact(w *agent, instance string) {
	if instance != "" && instance != w.copies.current && a.cluster != nil {
		w.contact = instance
		a.cluster.Changed(w.id)
	}
	a.countContact(w, instance)
}

// countContact records contact with an instance, here or at another collector.
func (a *Agents) countContact(w *agent, instance string) {
	now := a.Now()
	if !w.copies.contact(instance, now) {
		return
	}
	if now.Sub(w.copiedAt).Abs() > copiedFor {
		a.Log.Warn("two machines use the same identity: its data folder was copied", "agent", w.id, "participant", w.participant)
		defer a.publish(AgentPresence, w)
	}
	w.copiedAt = now
}

// Request requests a retest from an agent, at the collector to which it is connected. before is the
// participant's latest report. The errors are ErrNotConnected, ErrRetestRunning, and that of the random
// source.
func (a *Agents) Request(agentID string, what wire.RetestWhat, by, before string) (Retest, error) {
	var id [16]byte
	if _, err := io.ReadFull(a.Random, id[:]); err != nil {
		return Retest{}, fmt.Errorf("generate the id of a retest: %w", err)
	}
	wanted := Retest{ID: base64.RawURLEncoding.EncodeToString(id[:]), AgentID: agentID, What: what, By: by, Before: before}
	a.mu.Lock()
	to, local := a.connectedAt(agentID)
	if !local && to != "" {
		if r := a.retestOf(agentID); r != nil && r.Open() {
			a.mu.Unlock()
			return Retest{}, ErrRetestRunning
		}
		return a.requestAt(to, wanted) // unlocks
	}
	defer a.mu.Unlock()
	r, err := a.ask(wanted)
	if err != nil {
		return Retest{}, err
	}
	return *r.copy(), nil
}

// ask sends a request to an agent that is connected here.
func (a *Agents) ask(wanted Retest) (*retest, error) {
	w := a.byID[wanted.AgentID]
	running := a.retestOf(wanted.AgentID)
	switch {
	case w == nil || len(w.links) == 0:
		return nil, ErrNotConnected
	case running != nil && running.Open():
		return nil, ErrRetestRunning
	}
	if w.retest != nil {
		w.retest.timer.Stop()
	}
	now := a.Now()
	wanted.At, wanted.ExpiresAt, wanted.State = now, now.Add(AnswerTime), RetestAsked
	r := &retest{Retest: wanted, asked: w.addressee()}
	r.timer = time.AfterFunc(AnswerTime, func() { a.expire(w, r) })
	w.retest = r
	r.asked.transport.Send(r.request())
	a.publish(RetestChanged, w)
	return r, nil
}

// expire ends a retest whose time has expired, and removes one that ended long ago.
func (a *Agents) expire(w *agent, r *retest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.retest != r {
		return
	}
	if r.Open() {
		a.withdraw(w, nil)
		r.end(RetestLost, "")
	} else {
		w.retest = nil
		a.forget(w)
	}
	a.publish(RetestChanged, w)
}

// Cancel ends a retest; it does nothing if id is not that of an open retest.
func (a *Agents) Cancel(agentID, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.cancel(agentID, id) {
		a.cancelAt(agentID, id)
	}
}

// cancel ends a retest of this collector.
func (a *Agents) cancel(agentID, id string) bool {
	w := a.byID[agentID]
	if w == nil || w.retest == nil || w.retest.ID != id || !w.retest.Open() {
		return false
	}
	a.withdraw(w, nil)
	w.retest.end(RetestCancelled, "")
	a.publish(RetestChanged, w)
	return true
}

// withdraw sends a cancellation to all connections except one, because the connection
// that was asked may have been replaced.
func (a *Agents) withdraw(w *agent, but *Link) {
	for _, l := range w.links {
		if l == but {
			continue
		}
		l.transport.Send(wire.ChannelMessage{Type: wire.MessageCancel, ID: w.retest.ID})
	}
}

// AgentState is the state of an agent for display.
type AgentState struct {
	Connected bool
	// Screen is set if a person can be asked directly.
	Screen bool
	// Copied is set if two machines use the same identity.
	Copied bool
	// Outdated is set if a former token was used recently.
	Outdated bool
	Retest   *Retest // the current or last one; nil if there is none
}

// State returns the state of an agent, whichever collector it is connected to.
func (a *Agents) State(agentID string) AgentState {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	recent := func(at time.Time, period time.Duration) bool { return !at.IsZero() && now.Sub(at).Abs() <= period }
	s := AgentState{Outdated: recent(a.outdated[agentID], outdatedFor), Retest: a.retestOf(agentID)}
	if w := a.byID[agentID]; w != nil {
		s.Connected = len(w.links) > 0
		s.Screen = slices.ContainsFunc(w.links, func(l *Link) bool { return l.screen })
		s.Copied = recent(w.copiedAt, copiedFor)
	}
	for _, r := range a.remote[agentID] {
		s.Connected = s.Connected || r.Connected
		s.Screen = s.Screen || r.Screen
		s.Copied = s.Copied || recent(r.CopiedAt, copiedFor)
		s.Outdated = s.Outdated || recent(r.OutdatedAt, outdatedFor)
	}
	return s
}

// Connected returns the number of connections to this collector.
func (a *Agents) Connected() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.byID {
		n += len(w.links)
	}
	return n
}

// Disconnect ends the connections of an agent whose token is no longer valid.
func (a *Agents) Disconnect(agentID string) { a.endLinks(agentID, CloseRevoked, OrderDisconnect) }

// endLinks ends the connections of an agent at all collectors.
func (a *Agents) endLinks(agentID string, why CloseReason, others OrderKind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endOwnLinks(agentID, why)
	a.send("", Order{Kind: others, AgentID: agentID})
}

func (a *Agents) endOwnLinks(agentID string, why CloseReason) {
	if w := a.byID[agentID]; w != nil {
		w.disconnect(why)
		a.publish(AgentPresence, w)
		a.forget(w)
	}
}

// Close ends all connections.
func (a *Agents) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, w := range a.byID {
		w.disconnect(CloseStopping)
		if a.cluster != nil {
			a.cluster.Changed(w.id)
		}
		if w.retest != nil {
			w.retest.timer.Stop()
		}
	}
}

// publish notifies the pages here, and announces the state of the agent to the other collectors.
func (a *Agents) publish(k Kind, w *agent) {
	a.Hub.Deliver(Event{Kind: k, ParticipantID: w.participant, At: a.Now()})
	if a.cluster != nil {
		a.cluster.Changed(w.id)
	}
}
