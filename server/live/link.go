package live

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

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

// Alive records that the agent at the other end responds.
func (l *Link) Alive() {
	l.all.mu.Lock()
	defer l.all.mu.Unlock()
	l.all.noteContact(l.agent, l.instance)
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

func (w *agent) disconnect(why CloseReason) {
	for _, l := range slices.Clone(w.links) {
		w.remove(l)
		l.transport.Close(why)
	}
}
