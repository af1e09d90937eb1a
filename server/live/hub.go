// Package live notifies open pages of events. An event has no content: a page reads the report from
// the store.
package live

import (
	"context"
	"sync"
	"time"
)

// Kind is the kind of an event.
type Kind string

// Kinds of events.
const (
	ReportStored        Kind = "report"
	ParticipantEnrolled Kind = "enrolled"
	// ParticipantChanged means that staff have added, changed, blocked or deleted a
	// participant or one of their computers.
	ParticipantChanged Kind = "changed"
	// AgentPresence means that an agent has connected or disconnected.
	AgentPresence Kind = "presence"
	// RetestChanged means that a retest has made progress.
	RetestChanged Kind = "retest"
	// CommonChanged means that the common causes have changed.
	CommonChanged Kind = "common"
	// Resync means that events were missed, because the subscriber was slow or another collector could
	// not be heard: it must read everything again.
	Resync Kind = "resync"
)

// Event is a single event.
type Event struct {
	Kind          Kind
	ParticipantID string
	ReportID      string // set for ReportStored
	At            time.Time
}

// buffer is the number of events that a subscriber may lag behind.
const buffer = 64

// Hub delivers every event to every subscriber and never waits for any of them.
type Hub struct {
	mu     sync.Mutex
	subs   map[*subscriber]struct{}
	relay  func(Event) // nil without other collectors
	closed bool
}

type subscriber struct {
	events  chan Event
	selects func(Event) bool
}

// NewHub returns a hub without subscribers.
func NewHub() *Hub { return &Hub{subs: map[*subscriber]struct{}{}} }

// Subscribe returns the events from now on. The channel is closed when ctx is done or the hub is
// closed.
func (h *Hub) Subscribe(ctx context.Context) <-chan Event {
	return h.SubscribeTo(ctx, func(Event) bool { return true })
}

// SubscribeTo is Subscribe for the events that a function selects, so that many others do not lead to
// a Resync. It must not block.
func (h *Hub) SubscribeTo(ctx context.Context, selects func(Event) bool) <-chan Event {
	s := &subscriber{events: make(chan Event, buffer), selects: selects}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(s.events)
		return s.events
	}
	h.subs[s] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.drop(s)
	})
	return s.events
}

// Relay sets the function that passes published events to the other collectors of the database. It
// must not block.
func (h *Hub) Relay(f func(Event)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.relay = f
}

// Publish delivers an event to the pages of all collectors.
func (h *Hub) Publish(e Event) {
	h.Deliver(e)
	h.mu.Lock()
	relay := h.relay
	h.mu.Unlock()
	if relay != nil {
		relay(e)
	}
}

// Deliver delivers an event to the pages of this collector. If the buffer of a subscriber is full, its
// content is discarded and replaced by a Resync.
func (h *Hub) Deliver(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.put(e)
	}
}

func (s *subscriber) put(e Event) {
	if !s.selects(e) {
		return
	}
	select {
	case s.events <- e:
		return
	default:
	}
	for {
		select {
		case <-s.events:
			continue
		default:
		}
		break
	}
	s.events <- Event{Kind: Resync, At: e.At} // only put sends, and the buffer is empty
}

// Subscribers returns the number of subscribers.
func (h *Hub) Subscribers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// Close ends all subscriptions, so that open streams do not delay a shutdown.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		h.drop(s)
	}
}

func (h *Hub) drop(s *subscriber) {
	if _, ok := h.subs[s]; ok {
		delete(h.subs, s)
		close(s.events)
	}
}
