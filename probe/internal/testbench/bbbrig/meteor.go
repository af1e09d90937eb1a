package bbbrig

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// enter responds with the user of a session (bbb-web up to 2.7, for join-handler).
func (r *Rig) enter(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	u := r.userOf(req, req.URL.Query().Get("sessionToken"))
	if u == nil || r.Faults[Enter] == Expired {
		_, _ = w.Write([]byte(`{"response":{"returncode":"FAILED","message":"Could not find conference.","logoutURL":"https://bbb.example.org"}}`))
		return
	}
	fmt.Fprintf(w, `{"response":{"returncode":"SUCCESS","fullname":%q,"confname":"Tonprobe","meetingID":%q,"externUserID":%q,"internalUserID":%q,"authToken":%q,"role":"VIEWER","guest":false,"conference":%q,"room":%q,"voicebridge":%q,"customdata":[],"logoutUrl":"https://bbb.example.org"}}`,
		u.name, u.meeting.internal, u.id, u.id, u.auth, u.meeting.internal, u.meeting.internal, r.Room)
}

// ddp is a message of a client in the Distributed Data Protocol.
type ddp struct {
	Msg    string            `json:"msg"`
	ID     string            `json:"id"`
	Name   string            `json:"name"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// meteor is the connection of one client to the Meteor server, over SockJS.
type meteor struct {
	rig  *Rig
	conn *websocket.Conn
	user *user // nil before the session is validated
	gone bool  // the connection has ended
}

// joinDelay is how long akka-apps takes to let a user join whose session is valid.
const joinDelay = 50 * time.Millisecond

// sockJS serves the connection of one client. nginx does not check the session here.
func (r *Rig) sockJS(w http.ResponseWriter, req *http.Request) {
	c, err := r.accept(w, req)
	if err != nil {
		return
	}
	defer r.closed(c)
	ctx := req.Context()
	_ = c.Write(ctx, websocket.MessageText, []byte("o"))
	switch r.Faults[State] {
	case Closes:
		_ = c.Write(ctx, websocket.MessageText, []byte(`c[3000,"Go away!"]`))
		_ = c.Close(websocket.StatusNormalClosure, "")
		return
	case Refuses:
		_ = c.Write(ctx, websocket.MessageText, []byte(`a["{\"msg\":\"failed\",\"version\":\"pre1\"}"]`))
		return
	}
	m := &meteor{rig: r, conn: c}
	m.say(ctx, map[string]any{"server_id": "0"})
	defer func() {
		r.mu.Lock()
		m.gone = true
		r.mu.Unlock()
		if m.user != nil {
			r.tell(m.user, nil)
			r.leave(m.user) // userLeaving, on the end of the connection
		}
	}()
	for {
		var texts []string
		if wsjson.Read(ctx, c, &texts) != nil {
			return
		}
		for _, text := range texts {
			var d ddp
			if json.Unmarshal([]byte(text), &d) != nil {
				return
			}
			m.take(ctx, d)
		}
	}
}

func (m *meteor) say(ctx context.Context, message map[string]any) {
	text, _ := json.Marshal(message)
	frame, _ := json.Marshal([]string{string(text)})
	_ = m.conn.Write(ctx, websocket.MessageText, append([]byte("a"), frame...))
}

func (m *meteor) take(ctx context.Context, d ddp) {
	switch {
	case d.Msg == "connect":
		m.say(ctx, map[string]any{"msg": "connected", "session": "aBcDeFgHiJkLmNoPq"})
	case d.Msg == "ping":
		m.say(ctx, map[string]any{"msg": "pong"})
	case d.Msg == "sub" && d.Name == "meetings" && m.user != nil:
		m.say(ctx, map[string]any{"msg": "added", "collection": "meetings", "id": "m1", "fields": map[string]any{
			"meetingId": m.user.meeting.internal, "meetingEnded": m.rig.Faults[State] == Ended, "lockSettingsProps": map[string]any{"disableMic": m.rig.LockMicrophones},
		}})
		m.say(ctx, map[string]any{"msg": "ready", "subs": []string{d.ID}})
	case d.Msg == "sub":
		m.say(ctx, map[string]any{"msg": "ready", "subs": []string{d.ID}})
	case d.Msg == "method" && d.Method == "validateAuthToken":
		m.validate(ctx, d)
	case d.Msg == "method" && d.Method == "userLeftMeeting":
		if m.user != nil {
			m.rig.leave(m.user)
		}
		m.say(ctx, map[string]any{"msg": "result", "id": d.ID})
		m.say(ctx, map[string]any{"msg": "updated", "methods": []string{d.ID}})
	}
}

// validate checks a session, and lets the user join. The result is the entry of
// auth-token-validation.
func (m *meteor) validate(ctx context.Context, d ddp) {
	r := m.rig
	if r.Faults[State] == Silent {
		return
	}
	var meeting, id, auth string
	if len(d.Params) == 4 {
		_, _, _ = json.Unmarshal(d.Params[0], &meeting), json.Unmarshal(d.Params[1], &id), json.Unmarshal(d.Params[2], &auth)
	}
	r.mu.Lock()
	for _, u := range r.users {
		if u.id == id && u.auth == auth && u.meeting.internal == meeting && r.Faults[State] != Expired && r.Faults[State] != Full {
			m.user = u
		}
	}
	r.mu.Unlock()
	result := map[string]any{"meetingId": meeting, "userId": id, "connectionId": "c1", "validationStatus": 3}
	if m.user == nil {
		result["validationStatus"], result["reason"] = 4, "validate_token_failed_eject_reason"
		if r.Faults[State] == Full {
			result["reason"] = "max_participants_reason"
		}
	}
	m.say(ctx, map[string]any{"msg": "result", "id": d.ID, "result": result})
	m.say(ctx, map[string]any{"msg": "updated", "methods": []string{d.ID}})
	if m.user == nil {
		time.AfterFunc(2*time.Second, func() { _ = m.conn.Close(websocket.StatusNormalClosure, "") })
		return
	}
	u := m.user
	r.tell(u, func() {
		m.say(ctx, map[string]any{"msg": "changed", "collection": "meetings", "id": "m1", "fields": map[string]any{"meetingEnded": true}})
	})
	time.AfterFunc(joinDelay, func() {
		r.mu.Lock()
		if !u.joined && !m.gone {
			u.joined = true
			r.count.Present++
		}
		r.mu.Unlock()
		m.say(ctx, map[string]any{"msg": "added", "collection": "current-user", "id": "u1", "fields": map[string]any{
			"meetingId": meeting, "userId": id, "intId": id, "locked": true, "ejected": false, "loggedOut": false, "approved": true, "validated": true, "role": "VIEWER",
		}})
	})
}
