package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/observe"
)

// Limits of open event streams. Each occupies a connection as long as its page is open.
const (
	streamsPerMember = 16
	streamsInAll     = 512
)

var errTooManyStreams = errors.New("too many pages are open")

// streams counts the open event streams.
type streams struct {
	mu       sync.Mutex
	all      int
	byMember map[string]int
}

func newStreams() *streams { return &streams{byMember: map[string]int{}} }

// enter counts a stream until leave is called.
func (s *streams) enter(member string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= streamsInAll || s.byMember[member] >= streamsPerMember {
		return nil, errTooManyStreams
	}
	s.all++
	s.byMember[member]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.byMember[member]--; s.byMember[member] == 0 {
			delete(s.byMember, member)
		}
	}, nil
}

// eventDelay is the time for which changes are collected before a page is notified, so that it does not
// flicker while a whole council checks.
const eventDelay = 400 * time.Millisecond

// retestDelay is the corresponding time for the progress of a retest, whose levels arrive five
// times a second.
const retestDelay = 150 * time.Millisecond

// events notifies an open page that its content has changed (server-sent events, WHATWG HTML §9.2).
// An event has no content: the page requests it, with its present rights.
func (s *site) events(w http.ResponseWriter, r *http.Request) error {
	leave, err := s.streams.enter(auth.StaffName(r.Context()))
	if err != nil {
		return err
	}
	defer leave()
	if err := observe.KeepOpen(w); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	wanted := r.URL.Query().Get("participant")
	happened := s.Live.SubscribeTo(ctx, func(e live.Event) bool { return shows(wanted, e) })
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // otherwise nginx buffers small responses
	out := stream{w: w, control: http.NewResponseController(w)}
	if out.send("retry: 3000\n\n") != nil {
		return nil // the page is closed, and the response has started
	}
	s.follow(r, happened, out)
	return nil
}

// shows reports whether the page of a participant, or a list ("") shows what has changed. A Resync is
// for all.
func shows(participant string, e live.Event) bool {
	switch e.Kind {
	case live.Resync, live.CommonChanged:
		return true
	case live.RetestChanged, live.AgentPresence:
		// Lists do not show connections, so they are not notified: thousands of agents connect after a
		// restart.
		return participant != "" && e.ParticipantID == participant
	}
	return participant == "" || e.ParticipantID == participant
}

// follow writes events until the page is closed, its session ends or the collector stops.
func (s *site) follow(r *http.Request, happened <-chan live.Event, out stream) {
	beat := time.NewTicker(s.Heartbeat)
	defer beat.Stop()
	var soon, retest <-chan time.Time // set while a change is pending
	for {
		var err error
		select {
		case e, open := <-happened:
			if !open {
				return
			}
			progress := e.Kind == live.RetestChanged || e.Kind == live.AgentPresence
			switch {
			case progress && retest == nil:
				retest = time.After(retestDelay)
			case !progress && soon == nil:
				soon = time.After(eventDelay)
			}
		case <-soon:
			soon = nil
			err = out.send("event: change\ndata: {}\n\n")
		case <-retest:
			retest = nil
			err = out.send("event: retest\ndata: {}\n\n")
		case <-beat.C:
			if _, gone := s.Auth.Session(r.Context(), auth.CookieToken(r)); errors.Is(gone, auth.ErrNoSession) {
				_ = out.send("event: signed-out\ndata: {}\n\n")
				return
			}
			err = out.send(": still here\n\n")
		}
		if err != nil {
			return
		}
	}
}

// writeTimeout ends the stream of a machine that has been suspended.
const writeTimeout = 10 * time.Second

type stream struct {
	w       io.Writer
	control *http.ResponseController
}

func (s stream) send(text string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("send event: %w", err)
	}
	if _, err := io.WriteString(s.w, text); err != nil {
		return fmt.Errorf("send event: %w", err)
	}
	return s.control.Flush()
}
