package bbb

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Operations of the client (presenceManager/queries.ts of bigbluebutton-html5).
const (
	subscribeSelf = `subscription getUserCurrent { user_current { userId authToken joinErrorCode joined ejectReasonCode loggedOut meeting { ended } } }`
	mutateJoin    = `mutation UserJoin($authToken: String!, $clientType: String!, $clientIsMobile: Boolean!) { userJoinMeeting(authToken: $authToken, clientType: $clientType, clientIsMobile: $clientIsMobile) }`
	mutateLeave   = `mutation UserLeaveMeeting { userLeaveMeeting }`
)

// Names of the operations within one connection.
const (
	idSelf  = "1"
	idJoin  = "2"
	idLeave = "3"
)

// frame is a message of graphql-transport-ws, or of its predecessor graphql-ws, which
// early builds of 3.0 speak.
type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// self is user_current.
type self struct {
	AuthToken       string `json:"authToken"`
	Joined          bool   `json:"joined"`
	JoinErrorCode   string `json:"joinErrorCode"`
	EjectReasonCode string `json:"ejectReasonCode"`
	LoggedOut       bool   `json:"loggedOut"`
	Meeting         struct {
		Ended bool `json:"ended"`
	} `json:"meeting"`
}

// errGraphQL is a message that GraphQL does not have.
var errGraphQL = errors.New("not a message of GraphQL")

// parseSelf reads the payload of an answer to subscribeSelf; ok is false where it holds
// no user yet.
func parseSelf(payload []byte) (me self, ok bool, err error) {
	var answer struct {
		Data struct {
			UserCurrent []self `json:"user_current"`
		} `json:"data"`
	}
	if json.Unmarshal(payload, &answer) != nil {
		return self{}, false, errGraphQL
	}
	if len(answer.Data.UserCurrent) == 0 {
		return self{}, false, nil
	}
	return answer.Data.UserCurrent[0], true, nil
}

// stateCodes are the words for a refusal (bbb-graphql-middleware, connhandler.go, and
// joinErrorCode of the users).
var stateCodes = map[string]string{
	"meeting_not_found":          codeNoMeeting,
	"meetingNotFound":            codeNoMeeting,
	"meeting_ended":              codeEnded,
	"user_not_found":             "session_expired",
	"check_authorization_error":  "session_expired",
	"too_many_connections":       "too_many_connections",
	"connections_limit_exceeded": "too_many_connections",
	"param_missing":              "param_missing",
	"max_participants_reason":    codeFull,
	"guest_deny":                 codeGuestDeny,
}

// parseRefusal reads the payload of an error, a list of messages.
func parseRefusal(payload []byte) string {
	var list []struct {
		MessageID string `json:"messageId"`
	}
	if json.Unmarshal(payload, &list) != nil || len(list) == 0 {
		return codeRefused
	}
	if code := stateCodes[list[0].MessageID]; code != "" {
		return code
	}
	return codeRefused
}

// judge returns the outcome that a user stands for, and whether it is final.
func (me self) judge() (o visit.Outcome, final bool) {
	switch {
	case me.Meeting.Ended:
		return visit.Fault(codeEnded), true
	case me.JoinErrorCode != "":
		if code := stateCodes[me.JoinErrorCode]; code != "" {
			return visit.Fault(code), true
		}
		return visit.Fault(codeRefused), true
	case me.EjectReasonCode != "", me.LoggedOut:
		return visit.Fault("ejected"), true
	case me.Joined:
		return visit.OK(), true
	}
	return visit.Outcome{}, false
}

// presence is the connection for the meeting's state, which is what makes this check a
// participant.
type presence struct {
	conn *websocket.Conn
	old  bool // speaks graphql-ws
	done chan struct{}
}

// attend opens the connection and joins. The presence must be left, also with a fault.
func attend(ctx context.Context, v *visit.Visit, s session) (*presence, visit.Outcome) {
	conn, status, err := v.WebSocket(ctx, v.At(pathState), "graphql-transport-ws", "graphql-ws")
	switch {
	case err != nil && status != 0:
		return nil, visit.StatusFault(status)
	case err != nil:
		return nil, visit.Fault(visit.FaultOf(err))
	}
	p := &presence{conn: conn, old: conn.Subprotocol() == "graphql-ws", done: make(chan struct{})}
	o := p.join(ctx, s)
	if o.Status != report.StatusOK {
		close(p.done)
		return p, o
	}
	go p.keep()
	return p, o
}

func (p *presence) join(ctx context.Context, s session) visit.Outcome {
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
		switch f.Type {
		case "connection_ack":
			err = p.operate(ctx, idSelf, "getUserCurrent", subscribeSelf, nil)
		case "ping":
			err = wsjson.Write(ctx, p.conn, frame{Type: "pong"})
		case "error", "connection_error":
			return visit.Fault(parseRefusal(f.Payload))
		case "next", "data":
			if f.ID != idSelf {
				continue
			}
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
				err = p.operate(ctx, idJoin, "UserJoin", mutateJoin, map[string]any{"authToken": s.auth, "clientType": "HTML5", "clientIsMobile": false})
			}
		}
		if err != nil {
			return p.closed(err)
		}
	}
}

// operate sends a query, a mutation or a subscription.
func (p *presence) operate(ctx context.Context, id, name, query string, variables map[string]any) error {
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

func (p *presence) read(ctx context.Context) (frame, error) {
	_, got, err := p.conn.Read(ctx)
	if err != nil {
		return frame{}, err
	}
	return parseFrame(got)
}

func parseFrame(got []byte) (frame, error) {
	var f frame
	if json.Unmarshal(got, &f) != nil || f.Type == "" {
		return frame{}, errGraphQL
	}
	return f, nil
}

// keep reads until the connection ends, so that pings are answered.
func (p *presence) keep() {
	defer close(p.done)
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
		}
	}
}

// leaveTime limits the farewell.
const leaveTime = time.Second

// leave takes this check out of the meeting at once: the server would keep its place for
// a minute.
func (p *presence) leave(ctx context.Context) {
	if p == nil {
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
	hangUp(ctx, p.conn)
}

// closed judges how the server ended the connection.
func (p *presence) closed(err error) visit.Outcome {
	if websocket.CloseStatus(err) == closeNotAuthorised {
		return visit.Fault("session_expired")
	}
	return broken(err)
}
