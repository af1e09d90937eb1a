package live

import (
	"encoding/base64"
	"errors"
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

// Caller is an agent that connects.
type Caller struct{ AgentID, ParticipantID string }

// Link is one connection of an agent.
type Link struct {
	all       *Agents
	agent     *agent
	version   string
	instance  string
	screen    bool
	since     time.Time
	transport Transport
	left      bool
	budget    budget
}

// Transport carries the messages of a Link. Its methods do not block.
type Transport interface {
	// Send sends a message, in the order of the calls.
	Send(m wire.ChannelMessage)
	// Close ends the connection. The caller of Connect then calls Leave.
	Close(why CloseReason)
	// Polls reports whether the agent polls. Such a connection may exist for some time after its
	// program has ended.
	Polls() bool
}

// CloseReason is the reason for which the collector ends a connection.
type CloseReason string

// Reasons of Transport.Close.
const (
	CloseRevoked  CloseReason = "the token is no longer valid"
	CloseRenewed  CloseReason = "the agent uses a new token"
	CloseReplaced CloseReason = "too many connections of this agent"
	CloseStopping CloseReason = "the collector is stopping"
)

// Connect adds a connection after its hello, whose ID is the retest that the agent is
// answering. Messages that the agent does not know yet are sent at once. ok is false if
// the collector is stopping.
func (a *Agents) Connect(c Caller, hello wire.ChannelMessage, t Transport) (l *Link, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, false
	}
	who := a.byID[c.AgentID]
	if who == nil {
		who = &agent{id: c.AgentID}
		a.byID[c.AgentID] = who
	}
	who.participant = c.ParticipantID
	if len(who.links) >= maxLinks {
		polls := slices.IndexFunc(who.links, func(l *Link) bool { return l.transport.Polls() })
		displaced := who.links[max(0, polls)]
		who.remove(displaced)
		displaced.transport.Close(CloseReplaced)
	}
	l = &Link{all: a, agent: who, version: hello.Version, instance: hello.Instance, screen: hello.Screen, since: a.Now(), transport: t}
	who.links = append(who.links, l)
	a.noteContact(who, l.instance)
	if r := who.retest; r != nil && r.asked.sameProgram(l) && (r.State == RetestAsked && r.asked.screen == l.screen || r.ID == hello.ID) {
		r.asked = l // the end of its last connection may be noticed minutes later
	}
	for _, m := range a.news(who, l, hello.ID) {
		t.Send(m)
	}
	a.publish(AgentPresence, who)
	return l, true
}

// addressee returns the connection to ask: the newest one with a person, otherwise the newest.
func (w *agent) addressee() *Link {
	for _, l := range slices.Backward(w.links) {
		if l.screen {
			return l
		}
	}
	if len(w.links) == 0 {
		return nil
	}
	return w.links[len(w.links)-1]
}

// sameProgram reports whether next may be the next connection of the same program. The
// presence of a person may differ, because over long polling a program opens a new
// connection when it changes.
func (l *Link) sameProgram(next *Link) bool {
	return l.instance != "" && l.instance == next.instance
}

// news returns the messages that bring a connection up to date. A retest stays with the
// connection that was asked until that connection leaves, so that two people are not
// asked.
func (a *Agents) news(w *agent, l *Link, known string) (all []wire.ChannelMessage) {
	if !a.adoptAnswered(w, l, known) {
		a.adoptStranded(w, l)
	}
	r := w.retest
	open := r != nil && r.Open()
	if open && r.asked.left && (r.ID == known || r.State == RetestAsked && w.addressee() == l) {
		r.asked = l
	}
	if known != "" && (!open || r.ID != known || r.asked != l) {
		// This includes a restart of the collector, after which an answer has no effect.
		all = append(all, wire.ChannelMessage{Type: wire.MessageCancel, ID: known})
	}
	if open && r.State == RetestAsked && r.ID != known && r.asked == l {
		all = append(all, r.request())
	}
	return all
}

func (w *agent) remove(l *Link) {
	l.left = true
	w.links = slices.DeleteFunc(w.links, func(other *Link) bool { return other == l })
}

func (r *retest) request() wire.ChannelMessage {
	expires := r.ExpiresAt.UTC()
	return wire.ChannelMessage{Type: wire.MessageRetest, ID: r.ID, What: r.What, By: r.By, ExpiresAt: &expires}
}

// Leave removes the connection; it may be called more than once.
func (l *Link) Leave() {
	a := l.all
	a.mu.Lock()
	defer a.mu.Unlock()
	if !l.left {
		l.agent.remove(l)
		a.publish(AgentPresence, l.agent)
	}
	a.forget(l.agent)
}

// forget removes an agent without connections and without a retest.
func (a *Agents) forget(w *agent) {
	if len(w.links) == 0 && w.retest == nil && a.byID[w.id] == w {
		delete(a.byID, w.id)
	}
}

// Alive records that the agent at the other end responds.
func (l *Link) Alive() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.all.noteContact(l.agent, l.instance)
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

// Pending returns the messages that bring an agent up to date: the cancellation of a
// retest that it must no longer answer, and the request for another one. It is for agents
// that poll, whose last response may have been lost.
func (l *Link) Pending(known string) []wire.ChannelMessage {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	return l.all.news(l.agent, l, known)
}

// Errors of Receive. The connection must be closed after them.
var (
	ErrFlood = errors.New("too many messages")
	ErrOrder = errors.New("unexpected message")
)

// Receive applies a message of the agent.
func (l *Link) Receive(m wire.ChannelMessage) error {
	a := l.all
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Now()
	switch {
	case !l.budget.take(now):
		return ErrFlood
	case m.Type == wire.MessageHello:
		return fmt.Errorf("%w: a second hello", ErrOrder)
	}
	a.adoptAnswered(l.agent, l, m.ID)
	if r := l.agent.retest; r.take(m, now) {
		if m.Type == wire.MessageConsent || m.Type == wire.MessageRefused {
			r.asked = l
			a.withdraw(l.agent, l) // another one may have been asked before
		}
		a.publish(RetestChanged, l.agent)
	}
	return nil
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

func (w *agent) disconnect(why CloseReason) {
	for _, l := range slices.Clone(w.links) {
		w.remove(l)
		l.transport.Close(why)
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
