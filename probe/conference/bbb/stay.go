package bbb

import (
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// participation is the place of this check in a meeting, over GraphQL or over Meteor.
type participation interface {
	// gone is closed once the meeting has ended or this participant was removed; why
	// returns the word for it, "" before.
	gone() <-chan struct{}
	why() string
	// rules returns what the meeting allows this participant, as far as is known.
	rules() rules
	// leave takes this check out of the meeting at once: the server would keep its place
	// for a minute.
	leave(ctx context.Context)
}

// stay is what a participation knows of itself.
type stay struct {
	over chan struct{}

	mu      sync.Mutex
	ended   string
	allowed rules
}

func (s *stay) gone() <-chan struct{} { return s.over }

func (s *stay) why() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// end notes the first reason.
func (s *stay) end(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == "" {
		s.ended = code
		close(s.over)
	}
}

func (s *stay) rules() rules {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allowed
}

func (s *stay) allow(change func(*rules)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.allowed)
}

// Limits of a participation.
const (
	// leaveTime limits the farewell.
	leaveTime = time.Second
	// rulesTime is how long the rules of the meeting are waited for. Without them the
	// check goes on: a version may not know these fields.
	rulesTime = 500 * time.Millisecond
)

// leaveAll leaves with all participants of this check.
func leaveAll(ctx context.Context, all []participation) {
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() { p.leave(ctx) })
	}
	wg.Wait()
}

// hangUp closes a connection with the closing handshake. A server that does not take
// part in it is not waited for; the library gives it up after 5 s.
func hangUp(ctx context.Context, conn *websocket.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
