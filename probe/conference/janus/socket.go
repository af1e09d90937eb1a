package janus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
)

// socket sends requests over a WebSocket. One goroutine reads it, because the end of the
// context of a read would close it, and events are read while the session is ended.
type socket struct {
	v      *visit.Visit
	conn   *websocket.Conn
	events chan message  // those that have not been read
	ended  chan struct{} // closed when nothing more is received
	err    error         // why, once ended is closed

	mu      sync.Mutex
	awaited string // the transaction of the current request; "" for none
	answer  chan message
}

func dial(ctx context.Context, v *visit.Visit) (*socket, visit.Outcome) {
	conn, status, err := v.WebSocket(ctx, v.URL, subprotocol)
	switch {
	case status != 0 && err != nil:
		return nil, visit.StatusFault(status)
	case err != nil:
		return nil, visit.Fault(visit.FaultOf(err))
	}
	s := &socket{v: v, conn: conn, events: make(chan message, maxEvents), ended: make(chan struct{})}
	go s.follow(context.WithoutCancel(ctx))
	return s, visit.OK()
}

// errPanicked means that the processing of a message panicked.
var errPanicked = errors.New("the processing of a message panicked")

// follow reads until close, or until the gateway sends nothing more.
func (s *socket) follow(ctx context.Context) {
	defer close(s.ended)
	defer func() {
		if v := recover(); v != nil {
			s.v.Env.Log.Error("a message of Janus caused a panic", "panic", v, "stack", string(debug.Stack()))
			s.err = errPanicked
		}
	}()
	for s.err == nil {
		_, got, err := s.conn.Read(ctx)
		if err != nil {
			s.err = fmt.Errorf("read from Janus: %w", err)
			return
		}
		var m message
		if m, s.err = parse(got); s.err == nil {
			s.err = s.deliver(m)
		}
	}
}

// deliver passes on a response or an event. The error is errNoMessage if too many events
// have not been read.
func (s *socket) deliver(m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awaited != "" && m.Transaction == s.awaited && m.Janus != "event" {
		s.awaited = ""
		s.answer <- m // has space
		return nil
	}
	select {
	case s.events <- m:
		return nil
	default:
		return errNoMessage
	}
}

func (s *socket) request(ctx context.Context, m message) (message, error) {
	m.Transaction = transaction()
	body, err := json.Marshal(m)
	if err != nil {
		return message{}, err
	}
	answer := make(chan message, 1)
	s.mu.Lock()
	s.awaited, s.answer = m.Transaction, answer
	s.mu.Unlock()
	began := s.v.Env.Clock.Now()
	if err := s.conn.Write(ctx, websocket.MessageText, body); err != nil {
		return message{}, fmt.Errorf("write to Janus: %w", err)
	}
	m, err = s.await(ctx, answer)
	if err == nil {
		s.v.NoteTrip(s.v.Env.Clock.Now().Sub(began))
	}
	return m, err
}

func (s *socket) event(ctx context.Context, _ uint64) (message, error) {
	return s.await(ctx, s.events)
}

// await returns the next message of c. Those that arrived before the end take precedence.
func (s *socket) await(ctx context.Context, c <-chan message) (message, error) {
	select {
	case m := <-c:
		return m, nil
	case <-ctx.Done():
		return message{}, fmt.Errorf("read from Janus: %w", ctx.Err())
	case <-s.ended:
	}
	select {
	case m := <-c:
		return m, nil
	default:
		return message{}, s.err
	}
}

func (s *socket) close() { _ = s.conn.CloseNow() }
