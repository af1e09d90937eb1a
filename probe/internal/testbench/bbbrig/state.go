package bbbrig

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// Limits of bbb-graphql-middleware (config.yml).
const (
	maxConnections = 3
	maxQueryChars  = 5000
)

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// accept opens a WebSocket. It refuses a foreign Origin with 403, like the
// middleware.
func (r *Rig) accept(w http.ResponseWriter, req *http.Request, protocols ...string) (*websocket.Conn, error) {
	c, err := websocket.Accept(w, req, &websocket.AcceptOptions{Subprotocols: protocols})
	if err != nil {
		return nil, err
	}
	r.add(func(n *Count) { n.Sockets++; r.sockets[c] = true })
	return c, nil
}

func (r *Rig) closed(c *websocket.Conn) {
	_ = c.CloseNow()
	r.add(func(n *Count) { n.Sockets--; delete(r.sockets, c) })
}

// graphql serves one client's connection to the middleware.
func (r *Rig) graphql(w http.ResponseWriter, req *http.Request) {
	c, err := r.accept(w, req, "graphql-transport-ws")
	if err != nil {
		return
	}
	defer r.closed(c)
	if c.Subprotocol() != "graphql-transport-ws" {
		_ = c.Close(websocket.StatusPolicyViolation, "subprotocol")
		return
	}
	ctx := req.Context()
	u := r.initiate(ctx, req, c)
	if u == nil {
		return
	}
	defer r.leave(u)
	r.tell(u, func() { r.self(ctx, c, u) })
	defer r.tell(u, nil)
	for {
		var f frame
		if wsjson.Read(ctx, c, &f) != nil {
			return
		}
		if !r.operate(ctx, c, u, f) {
			return
		}
	}
}

// refuse ends a connection like the middleware: with an error, and a close frame
// whose reason is the English text.
func refuse(ctx context.Context, c *websocket.Conn, code websocket.StatusCode, id, text string) {
	payload, _ := json.Marshal([]map[string]string{{"messageId": id, "message": text}})
	_ = wsjson.Write(ctx, c, frame{ID: "-1", Type: "error", Payload: payload})
	_ = c.Close(code, text)
}

// initiate reads connection_init and returns the user; nil if it was refused.
func (r *Rig) initiate(ctx context.Context, req *http.Request, c *websocket.Conn) *user {
	var f frame
	if wsjson.Read(ctx, c, &f) != nil {
		return nil
	}
	var hello struct {
		Headers map[string]any `json:"headers"`
	}
	_ = json.Unmarshal(f.Payload, &hello)
	for _, name := range []string{"X-Session-Token", "X-ClientSessionUUID", "X-ClientType", "X-ClientIsMobile"} {
		if text, ok := hello.Headers[name].(string); !ok || text == "" {
			refuse(ctx, c, 4403, "param_missing", name+" header missing on init connection")
			return nil
		}
	}
	token, _ := hello.Headers["X-Session-Token"].(string)
	u := r.userOf(req, token)
	switch fault := r.Faults[State]; {
	case u == nil, fault == Expired:
		refuse(ctx, c, 4403, "check_authorization_error", "Access denied")
		return nil
	case fault == Full:
		refuse(ctx, c, websocket.StatusInternalError, "connections_limit_exceeded", "connections limit exceeded")
		return nil
	case fault == Closes:
		_ = c.Close(websocket.StatusGoingAway, "")
		return nil
	}
	r.mu.Lock()
	u.connections++
	tooMany := u.connections > maxConnections
	r.mu.Unlock()
	if tooMany {
		refuse(ctx, c, 4403, "too_many_connections", "too many connections")
		return nil
	}
	_ = wsjson.Write(ctx, c, frame{Type: "connection_ack"})
	return u
}

// operate responds to one message; false ends the connection.
func (r *Rig) operate(ctx context.Context, c *websocket.Conn, u *user, f frame) bool {
	switch f.Type {
	case "ping":
		return wsjson.Write(ctx, c, frame{Type: "pong"}) == nil
	case "pong", "complete":
		return true
	case "subscribe":
	default:
		_ = c.Close(4400, "invalid message")
		return false
	}
	var op struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	_ = json.Unmarshal(f.Payload, &op)
	switch {
	case len(op.Query) > maxQueryChars:
		refuse(ctx, c, 4403, "query_too_long", "query too long")
		return false
	case strings.Contains(op.Query, "userJoinMeeting"):
		if r.Faults[State] == Silent {
			return true
		}
		_, mobile := op.Variables["clientIsMobile"].(bool)
		if op.Variables["authToken"] != u.auth || !mobile || op.Variables["clientType"] != "HTML5" {
			_ = wsjson.Write(ctx, c, frame{ID: f.ID, Type: "error", Payload: json.RawMessage(`[{"message":"field validation failed"}]`)})
			return true
		}
		r.mu.Lock()
		if !u.joined {
			u.joined = true
			r.count.Present++
		}
		r.mu.Unlock()
		return r.result(ctx, c, f.ID, `{"data":{"userJoinMeeting":true}}`, true) && r.self(ctx, c, u)
	case strings.Contains(op.Query, "userLeaveMeeting"):
		r.leave(u)
		return r.result(ctx, c, f.ID, `{"data":{"userLeaveMeeting":true}}`, true)
	case strings.Contains(op.Query, "lockSettings"):
		return r.result(ctx, c, f.ID, r.rules(), true)
	case strings.Contains(op.Query, "livekit"):
		return r.token(ctx, c, u, f.ID, op.Query)
	case strings.Contains(op.Query, "user_current"):
		return r.self(ctx, c, u)
	}
	return wsjson.Write(ctx, c, frame{ID: f.ID, Type: "error", Payload: json.RawMessage(`[{"message":"field not found"}]`)}) == nil
}

func (r *Rig) result(ctx context.Context, c *websocket.Conn, id, payload string, last bool) bool {
	if wsjson.Write(ctx, c, frame{ID: id, Type: "next", Payload: json.RawMessage(payload)}) != nil {
		return false
	}
	return !last || wsjson.Write(ctx, c, frame{ID: id, Type: "complete"}) == nil
}

// self sends user_current. The subscription of the clients has the id 1.
func (r *Rig) self(ctx context.Context, c *websocket.Conn, u *user) bool {
	r.mu.Lock()
	me := map[string]any{
		"userId": u.id, "authToken": u.auth, "joined": u.joined, "joinErrorCode": nil, "joinErrorMessage": nil,
		"ejectReasonCode": nil, "loggedOut": u.left, "meeting": map[string]any{"ended": u.meeting.ended || r.Faults[State] == Ended},
	}
	switch r.Faults[State] {
	case Refuses:
		me["joinErrorCode"] = "max_participants_reason"
	case Guest:
		me["guestStatus"] = "WAIT"
	}
	r.mu.Unlock()
	payload, _ := json.Marshal(map[string]any{"data": map[string]any{"user_current": []any{me}}})
	return r.result(ctx, c, "1", string(payload), false)
}

// tell sets the function that notifies the client of a user of a change.
func (r *Rig) tell(u *user, changed func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u.changed = changed
}

// rules returns the response to the query for what a viewer may do.
func (r *Rig) rules() string {
	status := "ALLOW"
	if r.Faults[State] == Guest {
		status = "WAIT"
	}
	return fmt.Sprintf(`{"data":{"user_current":[{"locked":true,"guestStatus":%q}],"meeting":[{"lockSettings":{"disableMic":%t}}]}}`, status, r.LockMicrophones)
}

// tokenDelay is how long the SFU takes to create a token for a user who has joined.
const tokenDelay = 50 * time.Millisecond

// token sends the token for LiveKit: 3.0 has one, 4.0 one for each room. The row exists
// before its token.
func (r *Rig) token(ctx context.Context, c *websocket.Conn, u *user, id, query string) bool {
	rooms := strings.Contains(query, "livekitRooms")
	if r.liveKit == nil || rooms != (r.Version != "3.0") || r.Faults[Token] == Refuses {
		return wsjson.Write(ctx, c, frame{ID: id, Type: "error", Payload: json.RawMessage(`[{"message":"field not found in type: 'user_current'","extensions":{"code":"validation-failed"}}]`)}) == nil
	}
	row := func(token string) string {
		if rooms {
			return fmt.Sprintf(`{"data":{"user_current":[{"livekitRooms":[{"token":%s,"purpose":"primary"}]}]}}`, token)
		}
		return fmt.Sprintf(`{"data":{"user_current":[{"livekit":{"livekitToken":%s}}]}}`, token)
	}
	if !r.result(ctx, c, id, row("null"), false) {
		return false
	}
	if r.Faults[Token] == Silent {
		return true
	}
	time.AfterFunc(tokenDelay, func() { r.result(ctx, c, id, row(strconv.Quote(r.liveKit.tokenFor(u))), false) })
	return true
}

// closeSocket opens a WebSocket and closes it at once with a code, even with one that
// must not be sent (RFC 6455 §7.4); 1005 sends a close frame without a code, and 1006
// sends none.
func closeSocket(w http.ResponseWriter, req *http.Request, code int) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	accept := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(accept[:]) + "\r\n"
	if protocol, _, _ := strings.Cut(req.Header.Get("Sec-WebSocket-Protocol"), ","); protocol != "" {
		answer += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	frame := []byte{0x88, 2, byte(code >> 8), byte(code)}
	switch code {
	case 1005:
		frame = []byte{0x88, 0}
	case 1006:
		frame = nil
	}
	_, _ = conn.Write(append([]byte(answer+"\r\n"), frame...))
	if frame != nil {
		// The other end closes the connection, or the test ends.
		_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second))
		_, _ = io.Copy(io.Discard, conn)
	}
}

// leave removes a user from the meeting.
func (r *Rig) leave(u *user) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u.joined && !u.left {
		u.left = true
		r.count.Present--
	}
}

// Left waits until all users have left the meetings and calls, and reports whether
// they have.
func (r *Rig) Left(within time.Duration) bool {
	for end := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		if c := r.Count(); c.Present == 0 && c.Calls == 0 && c.Sockets == 0 && c.Inside == 0 {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
