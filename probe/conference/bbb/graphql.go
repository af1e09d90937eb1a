package bbb

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// graphqlParticipant is the connection for the meeting's state from 3.0 on. It makes this check a
// participant.
type graphqlParticipant struct {
	participantState
	conn *websocket.Conn
	old  bool          // uses graphql-ws
	done chan struct{} // closed when nothing more is read
	left atomic.Bool

	tokens chan string // receives the token for LiveKit; closed if there is none
}

// attend opens the connection, gets the session meanwhile, and joins. It requests the rules of the
// meeting and, if takesToken is true, the token for LiveKit. The participant must leave, even
// after a fault.
func attend(ctx context.Context, v *visit.Visit, get func() (session, visit.Outcome), takesToken bool) (*graphqlParticipant, visit.Outcome) {
	var s session
	var o visit.Outcome
	var conn *websocket.Conn
	var status int
	var err error
	at := v.At(pathState)
	visit.Together(
		func() { conn, status, err = v.WebSocket(ctx, at, "graphql-transport-ws", "graphql-ws") },
		func() { s, o = get() },
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
	p := &graphqlParticipant{
		participantState: newParticipantState(v.Env.Log), conn: conn, old: conn.Subprotocol() == "graphql-ws",
		done: make(chan struct{}), tokens: make(chan string, 1),
	}
	o = p.join(ctx, s)
	if o.Status != report.StatusOK {
		close(p.done)
		return p, o
	}
	guard.Go(p.log, p.keep)
	// Without the rules the check continues.
	_ = p.operate(ctx, idRules, "getLockSettings", queryRules, nil)
	if takesToken {
		_ = p.operate(ctx, idRooms, "getLiveKitRooms", subscribeRooms, nil)
	}
	return p, visit.OK()
}

func (p *graphqlParticipant) join(ctx context.Context, s session) visit.Outcome {
	// X-ClientIsMobile is a string here and a Boolean in the mutation.
	hello := map[string]any{"type": "connection_init", "payload": map[string]any{"headers": map[string]string{
		"X-Session-Token": s.token, "X-ClientSessionUUID": uuid.NewString(), "X-ClientType": "HTML5", "X-ClientIsMobile": "false",
	}}}
	if err := wsjson.Write(ctx, p.conn, hello); err != nil {
		return p.closed(err)
	}
	asked := false
	for {
		f, err := p.read(ctx)
		switch {
		case errors.Is(err, errGraphQL):
			return visit.Fault("not_api")
		case err != nil:
			return p.closed(err)
		}
		switch {
		case f.Type == "connection_ack":
			if err = p.operate(ctx, idSelf, "getUserCurrent", subscribeSelf, nil); err == nil && s.auth != "" {
				// The response to the join link contained the token, so that the join need not
				// wait for the state of the user.
				asked, err = true, p.userJoin(ctx, s)
			}
		case f.Type == "ping":
			err = wsjson.Write(ctx, p.conn, frame{Type: "pong"})
		case f.Type == "error", f.Type == "connection_error":
			return visit.Fault(parseRefusal(f.Payload))
		case f.isData() && f.ID == idSelf:
			me, known, broken := parseSelf(f.Payload)
			if broken != nil {
				return visit.Fault("not_api")
			}
			if o, final := me.judge(); known && final {
				return o
			}
			if s.auth == "" && token.MatchString(me.AuthToken) {
				s.auth = me.AuthToken
			}
			if known && !asked && s.auth != "" {
				asked = true
				err = p.userJoin(ctx, s)
			}
		}
		if err != nil {
			return p.closed(err)
		}
	}
}

func (p *graphqlParticipant) userJoin(ctx context.Context, s session) error {
	return p.operate(ctx, idJoin, "UserJoin", mutateJoin, map[string]any{"authToken": s.auth, "clientType": "HTML5", "clientIsMobile": false})
}

// operate sends a query, a mutation or a subscription.
func (p *graphqlParticipant) operate(ctx context.Context, id, name, query string, variables map[string]any) error {
	kind := "subscribe"
	if p.old {
		kind = "start"
	}
	if variables == nil {
		variables = map[string]any{}
	}
	return wsjson.Write(ctx, p.conn, map[string]any{"id": id, "type": kind, "payload": map[string]any{
		"operationName": name, "query": query, "variables": variables, "extensions": map[string]any{},
	}})
}

func (p *graphqlParticipant) read(ctx context.Context) (frame, error) {
	_, got, err := p.conn.Read(ctx)
	if err != nil {
		return frame{}, err
	}
	return parseFrame(got)
}

// keep reads until the connection ends. It answers pings and detects the end of the
// meeting.
func (p *graphqlParticipant) keep() {
	defer close(p.done)
	// refused counts the token operations that this version does not know.
	refused, answered, told := 0, false, false
	for {
		f, err := p.read(context.Background())
		switch {
		case errors.Is(err, errGraphQL):
		case err != nil:
			return
		case f.Type == "ping":
			_ = wsjson.Write(context.Background(), p.conn, frame{Type: "pong"})
		case f.ID == idLeave && f.Type != "ka":
			return
		case f.ID == idSelf && f.isData():
			if me, known, _ := parseSelf(f.Payload); known {
				if o, _ := me.judge(); o.Status == report.StatusFail {
					p.end(o.Code)
				}
			}
		case f.ID == idRules && !answered:
			answered = true
			if r, err := parseRules(f.Payload); err == nil {
				p.allow(func(all *rules) { *all = r })
			}
			close(p.known)
		case (f.ID == idRooms || f.ID == idToken) && f.Type == "error" && !told:
			if refused++; refused == 1 {
				_ = p.operate(context.Background(), idToken, "getLiveKitToken", subscribeToken, nil)
				continue
			}
			told = true
			close(p.tokens)
		case (f.ID == idRooms || f.ID == idToken) && f.isData() && !told:
			if text := parseToken(f.Payload); text != "" {
				told = true
				p.tokens <- text
			}
		}
	}
}

// awaitToken waits for the token for LiveKit, which the server creates after a participant
// has joined.
func (p *graphqlParticipant) awaitToken(ctx context.Context) (string, visit.Outcome) {
	select {
	case text, ok := <-p.tokens:
		if ok {
			return text, visit.OK()
		}
	case <-p.over:
		return "", visit.Fault(p.why())
	case <-p.done:
		return "", visit.Fault("cut_off")
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return "", visit.Fault(visit.FaultOf(ctx.Err()))
		}
	}
	return "", visit.Fault(codeNoToken)
}

// leave implements participant. It may be called twice, and on nil.
func (p *graphqlParticipant) leave(ctx context.Context) {
	if p == nil || p.left.Swap(true) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if p.operate(ctx, idLeave, "UserLeaveMeeting", mutateLeave, nil) == nil {
		select {
		case <-p.done:
		case <-ctx.Done():
		}
	}
	closeLeft(p.log, p.conn)
}

// closed returns the outcome for the way in which the server ended the connection.
func (p *graphqlParticipant) closed(err error) visit.Outcome {
	if websocket.CloseStatus(err) == closeNotAuthorised {
		return visit.Fault(codeSession)
	}
	return broken(err)
}
