package bbbrig

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"sync"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// maxPayload is the largest message that bbb-webrtc-sfu accepts (wsServerOptions).
const maxPayload = 51200

// request is a message of a client.
type request struct {
	ID                  string `json:"id"`
	Type                string `json:"type"`
	Role                string `json:"role"`
	ClientSessionNumber any    `json:"clientSessionNumber"`
	Offer               string `json:"sdpOffer"`
	Extension           string `json:"extension"`
	Tones               string `json:"tones"`
}

// dialPlan matches the extension of the echo (bbb_echo_to_conference).
var dialPlan = regexp.MustCompile(`^echo(\d{5,11})$`)

// signalling serves the connection of one client to the SFU.
func (r *Rig) signalling(w http.ResponseWriter, req *http.Request) {
	u := r.userOf(req, req.URL.Query().Get("sessionToken"))
	if u == nil || r.Faults[Signalling] == Expired {
		w.WriteHeader(http.StatusUnauthorized) // auth_request of nginx
		return
	}
	c, err := r.accept(w, req)
	if err != nil {
		return
	}
	defer r.closed(c)
	c.SetReadLimit(maxPayload)
	if r.Faults[Signalling] == Closes {
		return // wsStrictHeaderParsing: without a response
	}
	s := &sfu{rig: r, conn: c, user: u}
	r.mu.Lock()
	r.sfus[s] = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.sfus, s)
		r.mu.Unlock()
		s.stop()
	}()
	for {
		var m request
		if wsjson.Read(req.Context(), c, &m) != nil {
			return
		}
		s.take(req.Context(), m)
	}
}

// sfu is the state of one connection.
type sfu struct {
	rig  *Rig
	conn *websocket.Conn
	user *user

	mu   sync.Mutex
	call *call
}

func (s *sfu) take(ctx context.Context, m request) {
	switch {
	case m.ID == "ping" && s.rig.Faults[Signalling] == Silent:
	case m.ID == "ping":
		s.say(ctx, map[string]any{"id": "pong"})
	case m.Type != "audio": // no response to an unknown type
	case m.ID == "start":
		s.start(ctx, m)
	case m.ID == "stop":
		s.stop()
	case m.ID == "dtmf":
		s.rig.add(func(n *Count) { n.Digits++ })
	case m.ID == "close", m.ID == "iceCandidate", m.ID == "restartIce", m.ID == "subscriberAnswer":
	default:
		s.say(ctx, map[string]any{"type": "audio", "code": "2300", "reason": "SFU_INVALID_REQUEST"})
	}
}

func (s *sfu) say(ctx context.Context, m map[string]any) { _ = wsjson.Write(ctx, s.conn, m) }

func (s *sfu) refuse(ctx context.Context, code any, reason string) {
	s.say(ctx, map[string]any{"type": "audio", "id": "webRTCAudioError", "code": code, "reason": reason, "role": "sendrecv"})
}

// start starts the call: it validates the request, then checks the permission for
// the microphone, then dials FreeSWITCH.
func (s *sfu) start(ctx context.Context, m request) {
	number, isNumber := m.ClientSessionNumber.(float64)
	s.rig.mu.Lock()
	present := s.user.joined && !s.user.left
	s.rig.mu.Unlock()
	switch fault := s.rig.Faults[Call]; {
	case fault == Hangs:
		return
	case fault == Garbage:
		_ = s.conn.Write(ctx, websocket.MessageText, []byte("<html>"))
		return
	case fault == Closes:
		_ = s.conn.Close(websocket.StatusGoingAway, "")
		return
	case fault == Full:
		s.refuse(ctx, 2002, "MEDIA_SERVER_NO_RESOURCES")
		return
	case !isNumber, number < 0, m.Role != "sendrecv" && m.Role != "recvonly" && m.Role != "recv":
		s.refuse(ctx, "2300", "SFU_INVALID_REQUEST")
		return
	case !present, fault == Refuses, s.rig.LockMicrophones: // GetMicrophonePermission of akka-bbb-apps
		s.refuse(ctx, "2301", "SFU_UNAUTHORIZED")
		return
	}
	s.stop()
	s.rig.add(func(n *Count) {
		if m.Extension == "echo" {
			n.Echoes++
		} else {
			n.Rooms++
		}
	})
	if m.Extension == "echo" && !dialPlan.MatchString("echo"+s.rig.Room) {
		s.refuse(ctx, 2203, "MEDIA_GENERIC_ERROR")
		return
	}
	call, answer, err := s.rig.newCall(m.Offer)
	if err != nil {
		nested, _ := json.Marshal(map[string]any{"code": 2211, "reason": "MEDIA_INVALID_SDP"})
		s.say(ctx, map[string]any{"type": "audio", "id": "webRTCAudioError", "error": json.RawMessage(nested)})
		return
	}
	s.mu.Lock()
	s.call = call
	s.mu.Unlock()
	s.rig.add(func(n *Count) { n.Calls++ })
	s.say(ctx, map[string]any{"type": "audio", "connectionId": "1", "id": "startResponse", "response": "accepted", "sdpAnswer": answer})
	go func() {
		select {
		case <-call.connected:
			s.say(ctx, map[string]any{"type": "audio", "connectionId": "1", "id": "webRTCAudioSuccess", "success": "MEDIA_FLOWING"})
			if s.rig.Faults[Sound] == HangsUp {
				s.refuse(ctx, 2000, "MEDIA_SERVER_OFFLINE")
				call.close()
			}
		case <-call.done:
		}
	}()
}

func (s *sfu) stop() {
	s.mu.Lock()
	call := s.call
	s.call = nil
	s.mu.Unlock()
	if call == nil {
		return
	}
	call.close()
	s.rig.add(func(n *Count) { n.Calls-- })
}
