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

// Agents manages the agents that are connected to this collector, and the retests that staff have
// requested from them. Retests exist in memory only: they end within minutes, and their reports are
// delivered like all others.
type Agents struct {
	AgentsConfig

	mu       sync.Mutex
	byID     map[string]*agent
	outdated map[string]time.Time // when a former token was last used, by agent
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
	return &Agents{AgentsConfig: c, byID: map[string]*agent{}, outdated: map[string]time.Time{}}
}

// agent is an agent with connections or a recent retest.
type agent struct {
	id, participant string
	links           []*Link // the oldest first
	retest          *retest // the current or last one
	copies          copies
	copiedAt        time.Time // when two machines were last found to use the same identity
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
	l = &Link{all: a, agent: who, version: hello.Version, instance: hello.Instance, screen: hello.Screen, transport: t}
	who.links = append(who.links, l)
	a.noteContact(who, l.instance)
	if r := who.retest; r != nil && r.asked.sameProgram(l) && (r.State == RetestAsked && r.asked.screen == l.screen || r.ID == hello.ID) {
		r.asked = l // the end of its last connection may be noticed minutes later
	}
	for _, m := range who.news(l, hello.ID) {
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
func (w *agent) news(l *Link, known string) (all []wire.ChannelMessage) {
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
	return l.agent.news(l, known)
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
	if r := l.agent.retest; r.take(m, now) {
		if m.Type == wire.MessageConsent || m.Type == wire.MessageRefused {
			r.asked = l
			a.withdraw(l.agent, l) // another one may have been asked before
		}
		a.publish(RetestChanged, l.agent)
	}
	return nil
}

// Request requests a retest from an agent. before is the participant's latest report. The errors
// are ErrNotConnected, ErrRetestRunning, and that of the random source.
func (a *Agents) Request(agentID string, what wire.RetestWhat, by, before string) (Retest, error) {
	var id [16]byte
	if _, err := io.ReadFull(a.Random, id[:]); err != nil {
		return Retest{}, fmt.Errorf("generate the id of a retest: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.byID[agentID]
	switch {
	case w == nil || len(w.links) == 0:
		return Retest{}, ErrNotConnected
	case w.retest != nil && w.retest.Open():
		return Retest{}, ErrRetestRunning
	}
	if w.retest != nil {
		w.retest.timer.Stop()
	}
	now := a.Now()
	r := &retest{Retest: Retest{ID: base64.RawURLEncoding.EncodeToString(id[:]), AgentID: agentID, What: what, By: by,
		At: now, ExpiresAt: now.Add(AnswerTime), State: RetestAsked, Before: before}, asked: w.addressee()}
	r.timer = time.AfterFunc(AnswerTime, func() { a.expire(w, r) })
	w.retest = r
	r.asked.transport.Send(r.request())
	a.publish(RetestChanged, w)
	return *r.copy(), nil
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
	w := a.byID[agentID]
	if w == nil || w.retest == nil || w.retest.ID != id || !w.retest.Open() {
		return
	}
	a.withdraw(w, nil)
	w.retest.end(RetestCancelled, "")
	a.publish(RetestChanged, w)
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

// State returns the state of an agent.
func (a *Agents) State(agentID string) AgentState {
	a.mu.Lock()
	defer a.mu.Unlock()
	w, now := a.byID[agentID], a.Now()
	outdated := now.Sub(a.outdated[agentID]).Abs() <= outdatedFor
	if w == nil {
		return AgentState{Outdated: outdated}
	}
	return AgentState{
		Outdated:  outdated,
		Connected: len(w.links) > 0,
		Screen:    slices.ContainsFunc(w.links, func(l *Link) bool { return l.screen }),
		Copied:    !w.copiedAt.IsZero() && now.Sub(w.copiedAt).Abs() <= copiedFor,
		Retest:    w.retest.copy(),
	}
}

// Connected returns the number of connections.
func (a *Agents) Connected() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.byID {
		n += len(w.links)
	}
	return n
}

// Disconnect ends the connections of an agent whose token is no longer valid.
func (a *Agents) Disconnect(agentID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.byID[agentID]; w != nil {
		w.disconnect(CloseRevoked)
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
		if w.retest != nil {
			w.retest.timer.Stop()
		}
	}
}

func (a *Agents) publish(k Kind, w *agent) {
	a.Hub.Publish(Event{Kind: k, ParticipantID: w.participant, At: a.Now()})
}
