package bbb

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/conference/relaytest"
)

const joinedXML = `<response><returncode>SUCCESS</returncode><messageKey>successfullyJoined</messageKey><meeting_id>a-1</meeting_id><user_id>w_abc</user_id>` +
	`<auth_token>authauthauth</auth_token><session_token>sessionsession12</session_token><guestStatus>ALLOW</guestStatus><url>https://bbb.example.org/html5client/?sessionToken=sessionsession12</url></response>`

func TestJoined(t *testing.T) {
	s, client, err := parseJoined([]byte(joinedXML))
	if err != nil || s != (session{"sessionsession12", "authauthauth"}) || client == nil || client.Host != "bbb.example.org" {
		t.Errorf("got %v, %v, %v, want the session and the client at bbb.example.org", s, client, err)
	}
	asJSON := `{"response":{"returncode":"SUCCESS","session_token":"sessionsession12","auth_token":"authauthauth","url":"javascript:alert(1)"}}`
	if s, client, err = parseJoined([]byte(asJSON)); err != nil || s.token == "" || client != nil {
		t.Errorf("JSON: got %v, %v, %v, want a token and no client", s, client, err)
	}
	for body, code := range map[string]string{
		`<response><returncode>FAILED</returncode><messageKey>invalidMeetingIdentifier</messageKey></response>`:                                                     codeNoMeeting,
		`<response><returncode>FAILED</returncode><messageKey>something new</messageKey></response>`:                                                                codeRefused,
		`<response><returncode>SUCCESS</returncode><messageKey>guestDeny</messageKey></response>`:                                                                   codeGuestDeny,
		strings.Replace(joinedXML, "ALLOW", "WAIT", 1):                                                                                                              codeGuestWait,
		`{"response":{"returncode":"FAILED","messageKey":"maxParticipantsReached"}}`:                                                                                codeFull,
		`<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey><message>You did not pass the checksum security check</message></response>`: codeSignature,
	} {
		_, _, err := parseJoined([]byte(body))
		if refused, ok := err.(*refusedError); !ok || refused.code != code {
			t.Errorf("%s: got error %v, want %s", body, err, code)
		}
	}
	for _, body := range []string{"", "<html>", "{}", "[]", strings.Replace(joinedXML, "sessionsession12", "a b\r\nX: y", 1)} {
		if _, _, err := parseJoined([]byte(body)); err != errNotAPI {
			t.Errorf("%q: got %v, want %v", body, err, errNotAPI)
		}
	}
}

// TestServerList: entries that no client can use are counted and removed.
func TestServerList(t *testing.T) {
	list, err := parseServers([]byte(`{"stunServers":[{"url":"stun:bbb.example.org:3478"},{"url":"stun.example.org"},{"url":"turn:x:1"}],
	 "turnServers":[{"username":"1:u","password":"p","url":"turns:bbb.example.org:443?transport=tcp","ttl":86400},
	  {"username":"1:u","password":"p","url":"turn:bbb.example.org:3478?transport=tcp"},{"url":"turn:bbb.example.org"},{"username":"1:u","password":"p","url":"https://x"}],"remoteIceCandidates":[]}`))
	if err != nil || list.Bad != 4 || len(list.ICEServers) != 3 || !list.HasTURN() {
		t.Errorf("got %+v, %v, want 3 servers and 4 bad entries", list, err)
	}
	if _, err := parseServers([]byte(`{"response":{"returncode":"FAILED"}}`)); err == nil {
		t.Error("a refusal was parsed as a list, want an error")
	}
}

// TestLiveKitAddress: the address of the settings is used where a browser could use it.
func TestLiveKitAddress(t *testing.T) {
	server := &url.URL{Scheme: "https", Host: "bbb.example.org:8443", Path: "/bigbluebutton"}
	for told, want := range map[string]string{
		"":                                     "https://bbb.example.org:8443/livekit/rtc",
		"wss://lk.example.org":                 "https://lk.example.org/rtc",
		" https://lk.example.org/a/ ":          "https://lk.example.org/a/rtc",
		"wss://user:secret@lk.example.org?x=1": "https://lk.example.org/rtc",
		"ws://lk.example.org":                  "",
		"lk.example.org":                       "",
		"wss://":                               "",
		"javascript:alert(1)":                  "",
	} {
		got := ""
		if at := (meeting{liveKit: told}).signallingOf(server); at != nil {
			got = at.String()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", told, got, want)
		}
	}
}

// TestToken: 3.0 has one token, 4.0 one for each room, of which only that of the meeting
// itself is taken.
func TestToken(t *testing.T) {
	for payload, want := range map[string]string{
		`{"data":{"user_current":[{"livekit":{"livekitToken":"a.b.c"}}]}}`:                                                                   "a.b.c",
		`{"data":{"user_current":[{"livekit":null}]}}`:                                                                                       "",
		`{"data":{"user_current":[{"livekitRooms":[{"token":"x.y.z","purpose":"breakout-listen"},{"token":"a.b.c","purpose":"primary"}]}]}}`: "a.b.c",
		`{"data":{"user_current":[{"livekitRooms":[{"token":null,"purpose":"primary"}]}]}}`:                                                  "",
		`{"data":{"user_current":[{"livekitRooms":[{"token":"a.b.c\r\nX: y","purpose":"primary"}]}]}}`:                                       "",
		`[]`: "",
	} {
		if got := parseToken([]byte(payload)); got != want {
			t.Errorf("%s: got %q, want %q", payload, got, want)
		}
	}
}

// TestValidation: the two formats of a refusal up to 2.7.
func TestValidation(t *testing.T) {
	for result, want := range map[string]string{
		`{"validationStatus":3}`: "",
		`{"validationStatus":4,"reason":"validate_token_failed_eject_reason"}`: codeSession,
		`{"validationStatus":4,"reason":"max_participants_reason"}`:            codeFull,
		`{"validationStatus":5}`: codeEjected,
		`{"invalid":true,"reason":"User has been banned","error_type":"user_banned"}`:                                      codeEjected,
		`{"invalid":true,"reason":"User has an invalid sessionToken","error_type":"invalid_session_token_due_to_eject"}`:   codeEjected,
		`{"invalid":true,"reason":"User has an invalid sessionToken","error_type":"invalid_session_token_due_to_log_out"}`: codeSession,
		`{}`:    "not_api",
		`"yes"`: "not_api",
	} {
		if got := parseValidation(ddp{Result: []byte(result)}); got.Code != want {
			t.Errorf("%s: got %q, want %q", result, got.Code, want)
		}
	}
}

// TestLobbyState: a participant who waits in the lobby has not joined; the wait is reported
// instead of a timeout.
func TestLobbyState(t *testing.T) {
	for payload, want := range map[string]string{
		`{"data":{"user_current":[{"joined":false,"guestStatus":"WAIT","meeting":{"ended":false}}]}}`:    codeGuestWait,
		`{"data":{"user_current":[{"joined":false,"guestStatus":"DENY","meeting":{"ended":false}}]}}`:    codeGuestDeny,
		`{"data":{"user_current":[{"joined":false,"guestStatus":"WAIT","meeting":{"ended":true}}]}}`:     codeEnded,
		`{"data":{"user_current":[{"joined":true,"guestStatus":"ALLOW","meeting":{"ended":false}}]}}`:    "",
		`{"data":{"user_current":[{"joined":true,"joinErrorCode":"","guestStatus":"","meeting":null}]}}`: "",
	} {
		me, known, err := parseSelf([]byte(payload))
		o, final := me.judge()
		if err != nil || !known || !final || o.Code != want {
			t.Errorf("%s: got %q, final %v, error %v; want %q", payload, o.Code, final, err, want)
		}
	}
}

// TestSFUErrors: codes are strings or numbers, and some are nested one level deeper.
func TestSFUErrors(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"webRTCAudioError","code":"2301","reason":"SFU_UNAUTHORIZED"}`: "2301",
		`{"id":"error","code":2002}`:                                          "2002",
		`{"id":"webRTCAudioError","error":{"code":2211,"reason":"x"}}`:        "2211",
		`{"id":"error","code":{"a":1}}`:                                       "call_refused",
		`{"id":"error","code":-1}`:                                            "call_refused",
		`{"id":"error"}`:                                                      "call_refused",
	} {
		if r, err := parseReply([]byte(body)); err != nil || r.fault() != want {
			t.Errorf("%s: got %q, error %v; want %q", body, r.fault(), err, want)
		}
	}
}

func TestMediaAddress(t *testing.T) {
	for sdp, want := range map[string]string{
		"v=0\r\na=candidate:1 1 udp 2130706431 203.0.113.7 24577 typ host\r\n":                             "203.0.113.7",
		"a=candidate:1 1 udp 1 ::ffff:203.0.113.7 24577 typ host\r\n":                                      "203.0.113.7",
		"a=candidate:1 1 udp 1 x.local 1 typ host\r\na=candidate:1 1 udp 1 2001:db8::1 24577 typ host\r\n": "2001:db8::1",
		"c=IN IP4 203.0.113.7\r\n": "invalid IP",
		// Relays allocate IPv4 addresses.
		"a=candidate:1 1 udp 2 2001:db8::1 24577 typ host\r\na=candidate:2 1 udp 1 203.0.113.7 24577 typ host\r\n": "203.0.113.7",
	} {
		if got := relaytest.MediaAddress(sdp); got.String() != want {
			t.Errorf("%q: got %s, want %s", sdp, got, want)
		}
	}
}

// FuzzAnswers: the result of parsing any response of a server is valid in a report.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		joinedXML, `{"meeting":[{"audioBridge":"livekit","voiceSettings":{"voiceConf":"73939"}}]}`,
		`{"stunServers":[{"url":"stun:a"}],"turnServers":[{"url":"turn:b","username":"c","password":"d"}]}`,
		`{"data":{"user_current":[{"joined":true,"authToken":"a","joinErrorCode":"b","meeting":{"ended":true}}]}}`,
		`{"id":"startResponse","response":"accepted","sdpAnswer":"v=0"}`, `{"id":"error","code":"2301","error":{"code":1}}`,
		`{"response":{"returncode":"SUCCESS","meetingID":"a","internalUserID":"b","authToken":"c"}}`, `a["{\"msg\":\"ping\"}"]`, `c[3000,"Go away!"]`, "o",
		`{"data":{"user_current":[{"locked":true,"guestStatus":"WAIT"}],"meeting":[{"lockSettings":{"disableMic":true}}]}}`,
		`{"data":{"user_current":[{"livekitRooms":[{"token":"a.b.c","purpose":"primary"}],"livekit":{"livekitToken":"a.b.c"}}]}}`, `{"validationStatus":4,"reason":"max_participants_reason"}`,
		`[{"messageId":"meeting_not_found"}]`, `{"type":"next","id":"1","payload":{}}`, "a=candidate:1 1 udp 1 1.2.3.4 5 typ host", "<html>", "{", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		codes := []string{parseRefusal(body)}
		if s, _, err := parseJoined(body); err == nil && !token.MatchString(s.token) {
			t.Errorf("token %q, want one that matches %v", s.token, token)
		} else if refused, ok := err.(*refusedError); ok {
			codes = append(codes, refused.code)
		}
		if m, err := parseMeeting(body); err == nil {
			codes = append(codes, m.bridge)
			if at := m.signallingOf(&url.URL{Scheme: "https", Host: "bbb.example.org"}); at != nil && (at.Scheme != "https" || at.Host == "" || at.User != nil) {
				t.Errorf("address %s, want https with a host", at)
			}
		}
		if _, err := parseEntry(body); err != nil {
			if refused, ok := err.(*refusedError); ok {
				codes = append(codes, refused.code)
			}
		}
		if messages, err := parseSockJS(body); err == nil {
			for _, m := range messages {
				codes = append(codes, parseValidation(m).Code)
			}
		}
		codes = append(codes, parseValidation(ddp{Result: body}).Code)
		_, _ = parseRules(body)
		if text := parseToken(body); strings.ContainsAny(text, " \r\n\"") || len(text) > maxTokenBytes {
			t.Errorf("token %q, want at most %d bytes without spaces and quotes", text, maxTokenBytes)
		}
		if list, err := parseServers(body); err == nil && len(list.forPeer()) > maxServers {
			t.Errorf("%d servers, want at most %d", len(list.forPeer()), maxServers)
		}
		if me, ok, err := parseSelf(body); err == nil && ok {
			o, _ := me.judge()
			codes = append(codes, o.Code)
		}
		if r, err := parseReply(body); err == nil {
			codes = append(codes, r.fault())
		}
		_, _ = parseFrame(body)
		if at := relaytest.MediaAddress(string(body)); at.IsValid() && at == netip.IPv4Unspecified() {
			t.Errorf("address %s, want a specified one", at)
		}
		for _, code := range codes {
			if _, err := strconv.Atoi(code); err != nil && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_-") != "" || len(code) > 64 {
				t.Errorf("code %q, want a number or a word", code)
			}
		}
	})
}
