package bbb

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// participant is this check as a participant of a meeting, over GraphQL or over Meteor.
type participant interface {
	// gone is closed once the meeting has ended or this participant was removed; why
	// returns the code, "" before.
	gone() <-chan struct{}
	why() string
	// awaitRules returns the permissions of this participant. It waits for them for at most
	// rulesTime; a version may not have these fields.
	awaitRules(ctx context.Context) rules
	// leave leaves the meeting at once; otherwise the server would keep the participant
	// for a minute.
	leave(ctx context.Context)
}

// participantState is the part of a participant that both connections share.
type participantState struct {
	log  *slog.Logger
	over chan struct{}
	// known is closed once the rules are known or unavailable.
	known chan struct{}

	mu      sync.Mutex
	ended   string
	allowed rules
}

func (s *participantState) gone() <-chan struct{} { return s.over }

func (s *participantState) why() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// end records the first reason.
func (s *participantState) end(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == "" {
		s.ended = code
		close(s.over)
	}
}

func newParticipantState(log *slog.Logger) participantState {
	return participantState{log: log, over: make(chan struct{}), known: make(chan struct{})}
}

func (s *participantState) awaitRules(ctx context.Context) rules {
	ctx, cancel := context.WithTimeout(ctx, rulesTime)
	defer cancel()
	select {
	case <-s.known:
	case <-s.over:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allowed
}

func (s *participantState) allow(change func(*rules)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.allowed)
}

// Limits of a participant.
const (
	// leaveTime limits the time to leave.
	leaveTime = time.Second
	// rulesTime is the wait for the rules of the meeting. Without them the check
	// continues.
	rulesTime = 500 * time.Millisecond
)

// leaveAll leaves with all participants of this check.
func leaveAll(ctx context.Context, all []participant) {
	var wg guard.Group
	for _, p := range all {
		wg.Go(func() { p.leave(ctx) })
	}
	wg.Wait()
}

// closeLeft closes the connection of a participant who has left. The closing handshake, of at
// most 5 s, continues without the caller.
func closeLeft(log *slog.Logger, conn *websocket.Conn) {
	guard.Go(log, func() { _ = conn.Close(websocket.StatusNormalClosure, "") })
}

// closeConn closes a connection with the closing handshake. It does not wait for a server
// that does not respond; the library gives up after 5 s.
func closeConn(ctx context.Context, log *slog.Logger, conn *websocket.Conn) {
	done := make(chan struct{})
	guard.Go(log, func() {
		defer close(done)
		_ = conn.Close(websocket.StatusNormalClosure, "")
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}
