package janus

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
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
	if err != nil {
		return nil, visit.SocketFault(status, err)
	}
	s := &socket{v: v, conn: conn, events: make(chan message, maxEvents), ended: make(chan struct{})}
	go s.follow(context.WithoutCancel(ctx))
	return s, visit.OK()
}

// follow reads until close, or until the gateway sends nothing more.
func (s *socket) follow(ctx context.Context) {
	defer close(s.ended)
	for s.err == nil {
		if err := guard.Do(func() { s.err = s.receive(ctx) }); err != nil {
			s.v.Env.Log.Error("a message of Janus caused a panic", "err", err)
			s.err = errNoMessage
		}
	}
}

// receive reads one message and passes it on.
func (s *socket) receive(ctx context.Context) error {
	_, got, err := s.conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("read from Janus: %w", err)
	}
	m, err := parse(got)
	if err != nil {
		return err
	}
	return s.deliver(m)
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
