package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/probe"
)

// registerTime limits the time to register.
const registerTime = 5 * time.Second

// Register registers this program with the service as a screen on which a person can be asked, and
// answers its requests with show until the connection ends or ctx is done. registered, if not nil,
// is called when the service has accepted. A check that the person has agreed to continues when the
// service is gone, because its report is handed over or kept like any other.
//
// The errors include ErrNoService, and ErrScreenMessage.
func (c *Client) Register(ctx context.Context, show channel.Screen, registered func()) error {
	open, cancel := context.WithTimeout(ctx, registerTime)
	// The library replaces the scheme of the WebSocket by that of HTTP.
	conn, resp, err := websocket.Dial(open, "ws://"+host+pathScreen, &websocket.DialOptions{HTTPClient: c.http, CompressionMode: websocket.CompressionDisabled})
	cancel()
	if err != nil {
		if resp != nil {
			var f fault
			if json.NewDecoder(resp.Body).Decode(&f) == nil && f.Code != "" {
				return f.error()
			}
			return err
		}
		return fmt.Errorf("%w: %w", ErrNoService, err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxScreenBytes)
	if registered != nil {
		registered()
	}
	r := &registration{conn: conn, show: show, ctx: ctx}
	defer r.work.Wait()
	defer r.lost()
	// The last answer is sent before the connection is closed.
	defer context.AfterFunc(ctx, r.leave)()
	for {
		_, b, err := conn.Read(context.WithoutCancel(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%w: %w", ErrNoService, err)
		}
		m, err := parseFromService(b)
		if err != nil {
			_ = conn.Close(websocket.StatusPolicyViolation, "invalid message")
			return err
		}
		r.receive(m)
	}
}

// registration is the program's end of a connection to the service.
type registration struct {
	conn *websocket.Conn
	show channel.Screen
	ctx  context.Context // of the program
	work sync.WaitGroup

	mu      sync.Mutex
	current *shownRequest
}

// shownRequest is the request that the program shows.
type shownRequest struct {
	id     string
	cancel context.CancelFunc
	over   bool          // the service has withdrawn it
	agreed bool          // the check runs
	ended  chan struct{} // closed at the end
}

func (r *registration) receive(m screenMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ctx.Err() != nil: // the program ends
	case m.Type == screenOver:
		if r.current != nil && r.current.id == m.ID {
			r.current.over = true
			r.current.cancel()
		}
	case m.Type == screenAsk:
		before := r.current
		if before != nil && !before.over { // the service asks one question at a time
			r.work.Go(func() { r.send(screenMessage{Type: screenAnswer, ID: m.ID, Answer: answerBusy}) })
			return
		}
		ctx, cancel := context.WithCancel(r.ctx)
		shown := &shownRequest{id: m.ID, cancel: cancel, ended: make(chan struct{})}
		r.current = shown
		r.work.Go(func() {
			defer close(shown.ended)
			defer cancel()
			if before != nil {
				<-before.ended // soon
			}
			r.answer(ctx, shown, channel.Retest{
				ID: m.ID, What: m.What, By: m.By, Ends: time.Now().Add(time.Duration(m.LeftMS) * time.Millisecond), Agreed: m.Agreed,
			})
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.current == shown {
				r.current = nil
			}
		})
	}
}

// leave ends the connection when the program ends.
func (r *registration) leave() {
	r.mu.Lock()
	last := r.current // no other one begins, because ctx is done
	r.mu.Unlock()
	if last != nil {
		<-last.ended
	}
	_ = r.conn.Close(websocket.StatusGoingAway, "")
}

// lost withdraws an unanswered question when the service is gone, because an answer would
// have no effect.
func (r *registration) lost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current != nil && !r.current.agreed {
		r.current.cancel()
	}
}

func (r *registration) answer(ctx context.Context, shown *shownRequest, asked channel.Retest) {
	asking, cancel := context.WithDeadline(ctx, asked.Ends)
	defer cancel()
	c, err := r.show.Ask(asking, asked)
	answer := answerNo
	switch {
	case errors.Is(err, channel.ErrBusy):
		answer = answerBusy
	case err != nil:
		if ctx.Err() == nil && asking.Err() == nil {
			r.send(screenMessage{Type: screenAnswer, ID: asked.ID, Answer: answerBusy})
		}
		return
	case c.Given && c.Always:
		answer = answerAlways
	case c.Given:
		answer = answerYes
	}
	if answer == answerYes || answer == answerAlways {
		r.mu.Lock()
		shown.agreed = true
		r.mu.Unlock()
	}
	r.send(screenMessage{Type: screenAnswer, ID: asked.ID, Answer: answer})
	if c.Run == nil || !c.Given {
		return
	}
	id, err := c.Run(ctx, func(e probe.Event) {
		if m, ok := eventMessage(asked.ID, e); ok {
			r.send(m)
		}
	})
	if err != nil {
		id = ""
	}
	r.send(screenMessage{Type: screenDone, ID: asked.ID, ReportID: id})
}

// send sends a message, even if the program is about to end. An error ends the connection, which
// the reader notices.
func (r *registration) send(m screenMessage) {
	b, err := json.Marshal(m)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), screenWriteTime)
	defer cancel()
	_ = r.conn.Write(ctx, websocket.MessageText, b)
}

// AllowNetworkRetest stores whether phone support may start checks without the microphone without
// asking anybody at this computer.
func (c *Client) AllowNetworkRetest(ctx context.Context, allow bool) (Status, error) {
	var s Status
	err := c.do(ctx, askTime, http.MethodPost, pathNetworkRetest, networkRetest{Allowed: &allow}, &s)
	return s, err
}
