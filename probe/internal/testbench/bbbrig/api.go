package bbbrig

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// hashes are the algorithms of bbb-web (supportedChecksumAlgorithms).
var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// Checksum returns the checksum of a call: the hash of its name, its query without
// the checksum, and the secret.
func Checksum(algorithm, call, query, secret string) string {
	h := hashes[algorithm]()
	_, _ = io.WriteString(h, call+query+secret)
	return hex.EncodeToString(h.Sum(nil))
}

// Sign returns the URL of a call with its checksum.
func (r *Rig) Sign(call string, query url.Values) string {
	algorithm := r.Hash
	if algorithm == "" {
		algorithm = "sha1"
	}
	raw := query.Encode()
	return r.URL + "/bigbluebutton/api/" + call + "?" + raw + "&checksum=" + Checksum(algorithm, call, raw, r.Secret)
}

// JoinLink creates a meeting and returns a join link for a viewer.
func (r *Rig) JoinLink() string {
	m := r.newMeeting(url.Values{"meetingID": {"test-" + rand.Text()}})
	return r.Sign("join", url.Values{"meetingID": {m.id}, "fullName": {"Test"}, "role": {"VIEWER"}, "redirect": {"false"}})
}

// signed verifies the checksum of a call.
func (r *Rig) signed(call string, req *http.Request) bool {
	raw, given, found := strings.Cut(req.URL.RawQuery, "&checksum=")
	if !found {
		return false
	}
	given, after, _ := strings.Cut(given, "&")
	if after != "" {
		raw += "&" + after
	}
	for algorithm := range hashes {
		want := Checksum(algorithm, call, raw, r.Secret)
		if (r.Hash == "" || r.Hash == algorithm) && subtle.ConstantTimeCompare([]byte(want), []byte(given)) == 1 {
			return true
		}
	}
	return false
}

func xmlAnswer(w http.ResponseWriter, fields ...string) {
	w.Header().Set("Content-Type", "text/xml;charset=utf-8")
	var b strings.Builder
	b.WriteString("<response>")
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&b, "<%s>%s</%s>", fields[i], html.EscapeString(fields[i+1]), fields[i])
	}
	b.WriteString("</response>")
	_, _ = io.WriteString(w, b.String())
}

func failed(w http.ResponseWriter, key, message string) {
	xmlAnswer(w, "returncode", "FAILED", "messageKey", key, "message", message)
}

// about responds in XML, or from 3.0 on in JSON on request.
func (r *Rig) about(w http.ResponseWriter, req *http.Request) {
	version := r.Version + ".0"
	if r.HideVersion {
		version = ""
	}
	if !r.isNew() {
		xmlAnswer(w, "returncode", "SUCCESS", "version", "2.0", "apiVersion", "2.0", "bbbVersion", version)
		return
	}
	host := strings.TrimPrefix(r.URL, "https://")
	if req.Header.Get("Content-Type") != "application/json" {
		xmlAnswer(w, "returncode", "SUCCESS", "version", "2.0", "apiVersion", "2.0", "bbbVersion", version,
			"graphqlWebsocketUrl", "wss://"+host+"/graphql", "graphqlApiUrl", "https://"+host+"/api/rest")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"response":{"returncode":"SUCCESS","version":"2.0","apiVersion":"2.0","bbbVersion":%q,"graphqlWebsocketUrl":%q,"graphqlApiUrl":%q}}`,
		version, "wss://"+host+"/graphql", "https://"+host+"/api/rest")
}

func roundTrip(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Server-Epoch-Msec", strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64))
}

func (r *Rig) create(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	switch {
	case !r.signed("create", req):
		failed(w, "checksumError", "You did not pass the checksum security check")
		return
	case r.Faults[Create] == Refuses:
		failed(w, "internalError", "no resources")
		return
	case q.Get("meetingID") == "" || q.Get("name") == "":
		failed(w, "missingParamMeetingID", "You must specify a meeting ID for the meeting.")
		return
	}
	m := r.newMeeting(q)
	xmlAnswer(w, "returncode", "SUCCESS", "meetingID", m.id, "internalMeetingID", m.internal, "parentMeetingID", "bbb-none",
		"attendeePW", m.viewerPW, "moderatorPW", m.moderatorPW, "createTime", strconv.FormatInt(m.created, 10), "voiceBridge", r.Room,
		"dialNumber", "613-555-1234", "hasUserJoined", "false", "duration", "0", "hasBeenForciblyEnded", "false", "messageKey", "", "message", "")
}

// newMeeting creates a meeting, or returns the existing one with this id (create is
// idempotent).
func (r *Rig) newMeeting(q url.Values) *meeting {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := q.Get("meetingID")
	if m := r.meetings[id]; m != nil && !m.ended {
		return m
	}
	m := &meeting{id: id, created: time.Now().UnixMilli(), viewerPW: q.Get("attendeePW"), moderatorPW: q.Get("moderatorPW")}
	m.internal = Checksum("sha1", "", id, "") + "-" + strconv.FormatInt(m.created, 10)
	r.meetings[id] = m
	return m
}

func (r *Rig) end(w http.ResponseWriter, req *http.Request) {
	if !r.signed("end", req) {
		failed(w, "checksumError", "You did not pass the checksum security check")
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.meetings[req.URL.Query().Get("meetingID")]
	if m == nil || m.ended {
		failed(w, "notFound", "We could not find a meeting with that meeting ID")
		return
	}
	m.ended = true
	xmlAnswer(w, "returncode", "SUCCESS", "messageKey", "sentEndMeetingRequest", "message", "A request to end the meeting was sent.")
}

func (r *Rig) join(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	r.mu.Lock()
	m := r.meetings[q.Get("meetingID")]
	r.mu.Unlock()
	switch fault := r.Faults[Join]; {
	case !r.signed("join", req):
		failed(w, "checksumError", "You did not pass the checksum security check")
	case fault == Refuses:
		failed(w, "invalidPassword", "The supplied password is neither the attendee nor the moderator password")
	case m == nil, fault == Expired:
		failed(w, "invalidMeetingIdentifier", "The meeting ID that you supplied did not match any existing meetings")
	case m.ended, fault == Ended:
		failed(w, "meetingForciblyEnded", "You can not re-join a meeting that has already been forcibly ended.")
	case fault == Full:
		failed(w, "maxParticipantsReached", "The number of participants allowed for this meeting has been reached.")
	default:
		r.letIn(w, req, m)
	}
}

// letIn creates a user. The servlet session is that of the cookie, if there is one: it
// may hold several users, as with two tabs of a browser.
func (r *Rig) letIn(w http.ResponseWriter, req *http.Request, m *meeting) {
	q := req.URL.Query()
	u := &user{meeting: m, id: "w_" + strings.ToLower(rand.Text()[:12]), auth: strings.ToLower(rand.Text()[:12]),
		token: strings.ToLower(rand.Text()[:16]), session: rand.Text(), name: q.Get("fullName")}
	if cookie, err := req.Cookie("JSESSIONID"); err == nil {
		u.session = cookie.Value
	}
	r.mu.Lock()
	r.users[u.token] = u
	r.count.Joins++
	r.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: u.session, Path: "/", HttpOnly: true, Secure: true})
	client := r.URL + "/html5client/?sessionToken=" + u.token
	if q.Get("redirect") != "false" {
		w.Header().Set("Location", client)
		w.WriteHeader(http.StatusFound)
		return
	}
	guest, key := "ALLOW", "successfullyJoined"
	if r.Faults[Join] == Guest {
		guest, key = "WAIT", "guestWait"
	}
	xmlAnswer(w, "returncode", "SUCCESS", "messageKey", key, "message", "You have joined successfully.", "meeting_id", m.internal,
		"user_id", u.id, "auth_token", u.auth, "session_token", u.token, "guestStatus", guest, "url", client)
}

// userOf returns the user of a session token; nil without its cookie, because nginx
// checks both with bbb-web.
func (r *Rig) userOf(req *http.Request, token string) *user {
	cookie, err := req.Cookie("JSESSIONID")
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if u := r.users[token]; u != nil && u.session == cookie.Value {
		return u
	}
	return nil
}

func (r *Rig) staticData(w http.ResponseWriter, req *http.Request) {
	if r.userOf(req, req.Header.Get("X-Session-Token")) == nil || r.Faults[Meeting] == Expired {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Cached", "MISS")
	liveKit := ""
	if r.LiveKitURL != "" {
		liveKit = fmt.Sprintf(`"url":%q,`, r.LiveKitURL)
	}
	settings := fmt.Sprintf(`{"public":{"media":{"forceRelay":%t,"forceRelayOnFirefox":%t,"livekit":{%s"forceRelay":%t,"forceRelayOnFirefox":%t}}}}`,
		r.ForceRelay, r.ForceRelayOnFirefox, liveKit, r.LiveKitForceRelay, r.LiveKitForceRelayOnFirefox)
	fmt.Fprintf(w, `{"meeting":[{"audioBridge":%q,"cameraBridge":%q,"screenShareBridge":%q,"voiceSettings":{"voiceConf":%q,"muteOnStart":%t,"telVoice":%q,"dialNumber":"613-555-1234"},"usersPolicies":{},"clientSettings":{"clientSettingsJson":%s}}]}`,
		r.Bridge, r.Bridge, r.Bridge, r.Room, r.MuteOnStart, r.Room, settings)
}

func (r *Rig) stuns(w http.ResponseWriter, req *http.Request) {
	if r.userOf(req, req.URL.Query().Get("sessionToken")) == nil || r.Faults[Servers] == Expired {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"response":{"returncode":"FAILED","message":"Could not find conference."}}`)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	list := r.Stuns
	if list == "" {
		list = `{"stunServers":[],"turnServers":[],"remoteIceCandidates":[]}`
	}
	_, _ = io.WriteString(w, list)
}
