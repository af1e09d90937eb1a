package bbb

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Addresses of the client up to 2.7, which is a Meteor application.
const (
	pathEnter  = "/bigbluebutton/api/enter"
	pathMeteor = "/html5client/sockjs"
)

// Names of the methods and subscriptions within one connection.
const (
	idUser     = "user"
	idMeetings = "meetings"
	idValidate = "validate"
	idLeft     = "left"
)

// settleTime is the wait for the entry of this participant among the users, once the
// server has accepted the session: the SFU denies the microphone to a participant who has
// not joined yet.
const settleTime = time.Second

// meteor is the connection for the state of a meeting up to 2.7: DDP (version 1) over
// SockJS. It makes this check a participant.
type meteor struct {
	participantState
	conn *websocket.Conn
	done chan struct{} // closed when nothing more is read

	// Each is closed once: when the SockJS session, the DDP session, and the entry of this
	// participant among the users exist.
	opened, connected, present *event
	described                  func()   // closes known
	validation                 chan ddp // receives the result of validateAuthToken

	fault visit.Outcome // why nothing more is read; valid after done is closed
}

// event is a channel that is closed once.
type event struct {
	c    chan struct{}
	once sync.Once
}

func newEvent() *event { return &event{c: make(chan struct{})} }

func (e *event) happen() { e.once.Do(func() { close(e.c) }) }

// attendMeteor opens the connection and joins, like the client. The participant must be
// left, even after a fault.
func attendMeteor(ctx context.Context, v *visit.Visit, s session) (*meteor, visit.Outcome) {
	// The client chooses the two parts of the path (SockJS protocol 0.3.3).
	var name [6]byte
	if _, err := io.ReadFull(v.Env.Rand, name[:]); err != nil {
		return nil, visit.Untested("no_random")
	}
	at := v.At(fmt.Sprintf("%s/%03d/%s/websocket", pathMeteor, binary.BigEndian.Uint16(name[:])%1000, hex.EncodeToString(name[2:])))
	var who entry
	var o visit.Outcome
	var conn *websocket.Conn
	var status int
	var err error
	visit.Together(
		func() { who, o = enterMeteor(ctx, v, s) },
		func() { conn, status, err = v.WebSocket(ctx, at) },
	)
	switch {
	case o.Status == report.StatusOK && err != nil:
		return nil, visit.SocketFault(status, err)
	case o.Status != report.StatusOK:
		if conn != nil {
			_ = conn.CloseNow()
		}
		return nil, o
	}
	p := &meteor{
		participantState: newParticipantState(v.Env.Log), conn: conn, done: make(chan struct{}),
		opened: newEvent(), connected: newEvent(), present: newEvent(), validation: make(chan ddp, 1),
		fault: visit.Fault("not_api"), // if a message cannot be processed
	}
	p.described = sync.OnceFunc(func() { close(p.known) })
	guard.Go(p.log, p.keep)
	return p, p.join(ctx, who)
}

func enterMeteor(ctx context.Context, v *visit.Visit, s session) (entry, visit.Outcome) {
	at := v.At(pathEnter)
	at.RawQuery = url.Values{"sessionToken": {s.token}}.Encode()
	a, err := v.Get(ctx, at, nil)
	switch {
	case err != nil:
		return entry{}, visit.Failed(err)
	case a.Status != http.StatusOK:
		return entry{}, visit.StatusFault(a.Status)
	}
	who, err := parseEntry(a.Body)
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		return entry{}, visit.Fault(refused.code)
	case err != nil:
		return entry{}, visit.Fault("not_api")
	}
	return who, visit.OK()
}

// say sends one message in a frame of SockJS.
func (p *meteor) say(ctx context.Context, m map[string]any) visit.Outcome {
	text, _ := json.Marshal(m) // contains texts only
	frame, _ := json.Marshal([]string{string(text)})
	if err := p.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return broken(err)
	}
	return visit.OK()
}

// join signs in: connect, the subscription to the entry of this participant, and the
// method validateAuthToken, after which the server admits this participant; then the
// subscription to the meeting.
func (p *meteor) join(ctx context.Context, who entry) visit.Outcome {
	if o := p.await(ctx, p.opened.c); o.Status != report.StatusOK {
		return o
	}
	if o := p.say(ctx, map[string]any{"msg": "connect", "version": "1", "support": []string{"1"}}); o.Status != report.StatusOK {
		return o
	}
	if o := p.await(ctx, p.connected.c); o.Status != report.StatusOK {
		return o
	}
	for _, m := range []map[string]any{
		{"msg": "sub", "id": idUser, "name": "current-user", "params": []any{}},
		{"msg": "method", "id": idValidate, "method": "validateAuthToken", "params": []any{who.Meeting, who.User, who.Auth, who.Extern}},
	} {
		if o := p.say(ctx, m); o.Status != report.StatusOK {
			return o
		}
	}
	select {
	case m := <-p.validation:
		if o := parseValidation(m); o.Status != report.StatusOK {
			return o
		}
	case <-p.done:
		return p.fault
	case <-ctx.Done():
		return visit.Fault(visit.FaultOf(ctx.Err()))
	}
	if o := p.say(ctx, map[string]any{"msg": "sub", "id": idMeetings, "name": "meetings", "params": []any{}}); o.Status != report.StatusOK {
		return o
	}
	settling, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	o := p.await(settling, p.present.c)
	switch {
	case p.why() != "":
		return visit.Fault(p.why())
	case o.Code == "timeout" && ctx.Err() == nil:
		// The SFU detects whether this participant has joined.
		return visit.OK()
	}
	return o
}

// await waits for an event of the connection, or the end of the meeting for this participant.
func (p *meteor) await(ctx context.Context, happened <-chan struct{}) visit.Outcome {
	select {
	case <-happened:
	case <-p.over:
	case <-p.done:
		return p.fault
	case <-ctx.Done():
		return visit.Fault(visit.FaultOf(ctx.Err()))
	}
	return visit.OK()
}

// take processes a message of the server.
func (p *meteor) take(m ddp) {
	switch {
	case m.Msg == "connected":
		p.connected.happen()
	case m.Msg == "ping":
		answer := map[string]any{"msg": "pong"}
		if m.ID != "" {
			answer["id"] = m.ID
		}
		p.say(context.Background(), answer)
	case m.Msg == "result" && m.ID == idValidate:
		select {
		case p.validation <- m:
		default:
		}
	case m.Msg == "nosub" && m.ID == idMeetings, m.Msg == "ready" && slices.Contains(m.Subs, idMeetings):
		p.described()
	case m.Msg != "added" && m.Msg != "changed":
	case m.Collection == "current-user", m.Collection == "users":
		p.takeSelf(m)
	case m.Collection == "meetings":
		p.takeMeeting(m.Fields)
	}
}

// takeSelf processes the entry of this participant, which is published once it has
// joined, and changes of the entry.
func (p *meteor) takeSelf(m ddp) {
	var me struct {
		Ejected   bool  `json:"ejected"`
		LoggedOut bool  `json:"loggedOut"`
		Locked    *bool `json:"locked"`
	}
	if json.Unmarshal(m.Fields, &me) != nil {
		return
	}
	if me.Locked != nil {
		p.allow(func(r *rules) { r.viewer = *me.Locked })
	}
	if me.Ejected || me.LoggedOut {
		p.end(codeEjected)
	}
	if m.Msg == "added" {
		p.present.happen()
	}
}

func (p *meteor) takeMeeting(fields json.RawMessage) {
	var meeting struct {
		Ended bool `json:"meetingEnded"`
		Lock  *struct {
			DisableMic bool `json:"disableMic"`
		} `json:"lockSettingsProps"`
	}
	if json.Unmarshal(fields, &meeting) != nil {
		return
	}
	if meeting.Lock != nil {
		p.allow(func(r *rules) { r.microphones = meeting.Lock.DisableMic })
	}
	if meeting.Ended {
		p.end(codeEnded)
	}
}

// keep reads until the connection ends.
func (p *meteor) keep() {
	defer close(p.done)
	for {
		_, got, err := p.conn.Read(context.Background())
		if err != nil {
			p.fault = broken(err)
			return
		}
		messages, err := parseSockJS(got)
		var closed *closedError
		switch {
		case errors.As(err, &closed):
			p.fault = visit.StatusFault(closed.code)
			return
		case err != nil:
			p.fault = visit.Fault("not_api")
			return
		case got[0] == 'o':
			p.opened.happen()
		}
		for _, m := range messages {
			switch {
			case m.Msg == "failed":
				p.fault = visit.Fault(codeRefused)
				return
			case m.Msg == "result" && m.ID == idLeft:
				p.fault = visit.OK()
				return
			}
			p.take(m)
		}
	}
}

// leave implements participant. It may be called on nil.
func (p *meteor) leave(ctx context.Context) {
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if p.say(ctx, map[string]any{"msg": "method", "id": idLeft, "method": "userLeftMeeting", "params": []any{}}).Status == report.StatusOK {
		select {
		case <-p.done:
		case <-ctx.Done():
		}
	}
	closeLeft(p.log, p.conn)
}
