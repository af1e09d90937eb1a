package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/observe"
	"github.com/tonprobe/tonprobe/server/peer"
)

const (
	defaultWait = 50 * time.Second
	// pollGrace is how long an agent counts as connected between two polls.
	pollGrace = 45 * time.Second
	// lostGrace is the same after a poll whose connection was lost. A program that is still there
	// polls again at once.
	lostGrace = 10 * time.Second
	// maxPollBytes is the size of a body with wire.MaxPollMessages messages.
	maxPollBytes = wire.MaxPollMessages*(wire.MaxChannelBytes+8) + 64
)

// pollers contains the polling agents, by caller, instance and process.
type pollers struct {
	mu  sync.Mutex
	all map[pollerKey]*poller
}

type pollerKey struct {
	live.Caller
	instance, process string
}

// poller is the live.Transport of an agent between and during its polls.
type poller struct {
	link *live.Link
	// wake contains an element if there may be a message.
	wake chan struct{}
	// apart contains messages that are no part of a retest, which Pending does not return.
	apart chan wire.ChannelMessage
	// ended is closed when the collector ends the connection.
	ended chan struct{}
	once  sync.Once

	// The rest is protected by pollers.mu.
	turn  chan struct{} // closed when the next poll begins
	timer *time.Timer   // ends the connection
}

// maxApart limits the messages that wait for the next poll.
const maxApart = 4

// Send implements live.Transport. For a retest it only wakes the poll, which then requests the
// pending message. If the response with a request for a new token is lost, the header of the next
// one repeats it; sessions are also requested at each check.
func (p *poller) Send(m wire.ChannelMessage) {
	if m.Type == wire.MessageToken || m.Type == wire.MessageSessions {
		select {
		case p.apart <- m:
		default:
		}
		return
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Close implements live.Transport.
func (p *poller) Close(live.CloseReason) { p.once.Do(func() { close(p.ended) }) }

// Polls implements live.Transport.
func (p *poller) Polls() bool { return true }

// enter returns the connection of a polling agent, and a channel that is closed when its next poll
// begins: after a lost connection, the previous poll may still be waiting. wait is the longest time of
// a poll, and 0 for a request with messages. ok is false if the collector is stopping.
func (ps *pollers) enter(agents *live.Agents, who live.Caller, hello pollHello, wait time.Duration) (p *poller, turn <-chan struct{}, ok bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	key := pollerKey{who, hello.Instance, hello.process}
	p = ps.all[key]
	if p != nil && p.over() {
		p = nil
	}
	if p == nil {
		p = &poller{wake: make(chan struct{}, 1), apart: make(chan wire.ChannelMessage, maxApart), ended: make(chan struct{})}
		if p.link, ok = agents.Connect(who, hello.ChannelMessage, p); !ok {
			return nil, nil, false
		}
		p.timer = time.AfterFunc(pollGrace, func() { ps.leave(key, p) })
		if ps.all == nil {
			ps.all = map[pollerKey]*poller{}
		}
		ps.all[key] = p
	}
	if wait > 0 {
		if p.turn != nil {
			close(p.turn)
		}
		p.turn = make(chan struct{})
		p.timer.Reset(wait + pollGrace)
	}
	p.link.Alive()
	return p, p.turn, true
}

// rest starts the grace period after a poll. lost means that its connection ended before the
// response.
func (ps *pollers) rest(p *poller, turn <-chan struct{}, lost bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	switch {
	case p.turn != turn:
	case lost:
		p.timer.Reset(lostGrace)
	default:
		p.timer.Reset(pollGrace)
	}
}

func (ps *pollers) leave(key pollerKey, p *poller) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.link.Leave()
	if ps.all[key] == p {
		delete(ps.all, key)
	}
}

func (p *poller) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// poll responds when there is a message, or when the wait is over.
func (a *API) poll(w http.ResponseWriter, r *http.Request, c caller) error {
	hello, wait, err := pollQuery(r.URL.Query())
	if err != nil {
		return err
	}
	if peer.Proxied(r) {
		wait = min(wait, wire.MaxPollWait)
	}
	_ = observe.KeepOpen(w) // otherwise the server's write timeout ends the wait
	p, turn, ok := a.pollers.enter(a.Agents, live.Caller{AgentID: c.ID, ParticipantID: c.ParticipantID}, hello, wait)
	if !ok {
		return stopping()
	}
	defer func() { a.pollers.rest(p, turn, r.Context().Err() != nil) }()
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	beats := newPollBeats(w, r)
	defer beats.stop()
	all, err := a.news(ctx, r, p, turn, hello.ID, beats)
	switch {
	case err != nil && beats.sent:
		a.Log.DebugContext(r.Context(), "poll ended", "err", err)
		return nil // the status was sent: the response without messages makes the agent poll again
	case err != nil:
		return err
	}
	answer := wire.PollMessages{Messages: []json.RawMessage{}}
	for _, m := range all {
		b, err := json.Marshal(m)
		if err != nil {
			return err
		}
		answer.Messages = append(answer.Messages, b)
	}
	return beats.answer(answer)
}

// news waits for messages and returns none if the wait is over.
func (a *API) news(ctx context.Context, r *http.Request, p *poller, turn <-chan struct{}, known string, beats *pollBeats) ([]wire.ChannelMessage, error) {
	for {
		if all := p.link.Pending(known); len(all) > 0 {
			return all, nil
		}
		select {
		case <-p.wake:
		case m := <-p.apart:
			return []wire.ChannelMessage{m}, nil
		case <-beats.due:
			if err := beats.send(); err != nil {
				return nil, nil // the agent is gone
			}
		case <-ctx.Done():
			return nil, nil
		case <-turn:
			return nil, nil
		case <-p.ended:
			if _, err := a.identify(r); err != nil {
				return nil, err
			}
			return nil, stopping()
		}
	}
}

func stopping() *Fault {
	return &Fault{Status: http.StatusServiceUnavailable, Code: "stopping", Message: "the collector is stopping: try again shortly", RetryAfter: time.Second}
}

// pollHello contains the parameters of a poll that correspond to a hello.
type pollHello struct {
	wire.ChannelMessage
	process string
}

func pollQuery(q url.Values) (hello pollHello, wait time.Duration, err error) {
	hello.process = q.Get(wire.ParamProcess)
	hello.ChannelMessage = wire.ChannelMessage{Type: wire.MessageHello, ID: q.Get(wire.ParamKnown), Version: q.Get(wire.ParamVersion), Instance: q.Get(wire.ParamInstance), Screen: q.Get(wire.ParamScreen) == "1"}
	b, err := json.Marshal(hello.ChannelMessage)
	if err == nil {
		_, err = wire.ParseFromAgent(b)
	}
	seconds := int(defaultWait / time.Second)
	if given := q.Get(wire.ParamWait); given != "" && err == nil {
		seconds, err = strconv.Atoi(given)
	}
	wait = time.Duration(seconds) * time.Second
	most := wire.MaxPollWait
	if q.Get(wire.ParamBeat) == "1" {
		most = wire.MaxBeatenWait
	}
	if err != nil || !wire.IsInstance(hello.process) || wait < time.Second || wait > most {
		return hello, 0, fault(http.StatusBadRequest, "poll_invalid", "a parameter of the poll is invalid")
	}
	return hello, wait, nil
}

// takePolled receives the messages of an agent that polls.
func (a *API) takePolled(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := wantType(r, "application/json"); err != nil {
		return err
	}
	hello, _, err := pollQuery(r.URL.Query())
	if err != nil {
		return err
	}
	body, err := readWire(w, r, maxPollBytes)
	if err != nil {
		return err
	}
	var sent wire.PollMessages
	if err := json.Unmarshal(body, &sent); err != nil || len(sent.Messages) > wire.MaxPollMessages {
		return fault(http.StatusBadRequest, "body_malformed", `the body is not {"messages":[…]}, or has too many of them`)
	}
	p, _, ok := a.pollers.enter(a.Agents, live.Caller{AgentID: c.ID, ParticipantID: c.ParticipantID}, hello, 0)
	if !ok {
		return stopping()
	}
	for _, b := range sent.Messages {
		m, err := wire.ParseFromAgent(b)
		if errors.Is(err, wire.ErrMessageType) {
			continue
		}
		if err != nil {
			return fault(http.StatusUnprocessableEntity, "message_invalid", "a message is invalid")
		}
		switch err := p.link.Receive(m); {
		case errors.Is(err, live.ErrFlood):
			return tooMany(time.Second)
		case err != nil:
			return fault(http.StatusUnprocessableEntity, "message_invalid", "a message is unexpected in this state")
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
