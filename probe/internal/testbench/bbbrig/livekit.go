package bbbrig

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

const (
	liveKitKey    = "devkey"
	liveKitSecret = "secretsecretsecretsecretsecretsecret"
)

// liveKitServer is a real LiveKit together with the parts of BigBlueButton around it:
// nginx in front of it, and bbb-webrtc-sfu, which creates the tokens and processes the
// webhooks.
type liveKitServer struct {
	rig   *Rig
	base  string
	proxy *httputil.ReverseProxy
	kill  func()
}

// startLiveKit runs LiveKit with the settings of the package bbb-livekit, on loopback.
func startLiveKit(t testing.TB, r *Rig) *liveKitServer {
	t.Helper()
	program := need.Program(t, "livekit-server")
	s := &liveKitServer{rig: r}
	hooks := httptest.NewServer(http.HandlerFunc(s.hook))
	t.Cleanup(hooks.Close)
	// Another program may take a port before LiveKit does, which then exits.
	for range 3 {
		if s.start(t, program, hooks.URL) {
			break
		}
	}
	if s.kill == nil {
		t.Fatal("livekit-server does not answer")
	}
	t.Cleanup(s.kill)
	target, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	// "location /livekit/ { proxy_pass http://127.0.0.1:7880/; }"
	s.proxy = &httputil.ReverseProxy{
		Rewrite:  func(p *httputil.ProxyRequest) { p.SetURL(target) },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	return s
}

// start runs the program once and reports whether it answers.
func (s *liveKitServer) start(t testing.TB, program, hooks string) bool {
	t.Helper()
	web, media := freePort(t, "tcp"), freePort(t, "udp")
	config := fmt.Sprintf(`port: %d
bind_addresses: [127.0.0.1]
keys: {%s: %s}
logging: {level: error}
rtc: {udp_port: %d, tcp_port: 0, allow_tcp_fallback: false, use_external_ip: false, enable_loopback_candidate: true}
audio: {active_level: 50, min_percentile: 10, update_interval: 500, smooth_intervals: 0}
room: {enable_remote_unmute: true}
webhook: {api_key: %s, urls: ["%s/livekit-webhook"]}
`, web, liveKitKey, liveKitSecret, media, liveKitKey, hooks)
	cmd := exec.Command(program, "--config-body", config, "--node-ip", "127.0.0.1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	kill := func() { _ = cmd.Process.Kill(); <-ended }
	s.base = fmt.Sprintf("http://127.0.0.1:%d", web)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if resp, err := http.Get(s.base); err == nil {
			resp.Body.Close()
			s.kill = kill
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	kill()
	return false
}

func freePort(t testing.TB, network string) int {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).Port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// pass forwards a request to LiveKit, as nginx does.
func (s *liveKitServer) pass(w http.ResponseWriter, req *http.Request) {
	s.rig.add(func(n *Count) { n.Sockets++ })
	defer s.rig.add(func(n *Count) { n.Sockets-- })
	http.StripPrefix("/livekit", s.proxy).ServeHTTP(w, req)
}

// tokenFor creates the token of a user: the grant of akka-bbb-apps
// (buildLiveKitTokenGrant), with the internal id of the meeting as the room and that of
// the user as the identity.
func (s *liveKitServer) tokenFor(u *user) string {
	now, life, secret := time.Now(), time.Hour, liveKitSecret
	switch s.rig.Faults[LiveKit] {
	case Expired:
		life = -time.Hour
	case Refuses:
		secret = "the secret before the last installation"
	}
	return sign(secret, map[string]any{
		"iss": liveKitKey, "sub": u.id, "name": u.name, "nbf": now.Add(-2 * time.Hour).Unix(), "exp": now.Add(life).Unix(),
		"video": map[string]any{
			"room": u.meeting.internal, "roomJoin": true, "canPublish": s.rig.Faults[Call] != Refuses, "canSubscribe": s.rig.Faults[Sound] != Silent,
			"canPublishData": false, "canUpdateOwnMetadata": false,
		},
	})
}

func sign(secret string, claims map[string]any) string {
	b, _ := json.Marshal(claims)
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(b)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// call calls LiveKit's RoomService API, as bbb-webrtc-sfu does.
func (s *liveKitServer) call(method, room string, request map[string]any) {
	token := sign(liveKitSecret, map[string]any{"iss": liveKitKey, "exp": time.Now().Add(time.Minute).Unix(),
		"video": map[string]any{"room": room, "roomAdmin": true, "roomCreate": true}})
	b, _ := json.Marshal(request)
	q, err := http.NewRequest(http.MethodPost, s.base+"/twirp/livekit.RoomService/"+method, bytes.NewReader(b))
	if err != nil {
		return
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(q); err == nil {
		resp.Body.Close()
	}
}

// hook receives a webhook from LiveKit.
func (s *liveKitServer) hook(_ http.ResponseWriter, req *http.Request) {
	var event struct {
		Event       string
		Room        struct{ Name string }
		Participant struct{ Identity string }
		Track       struct{ SID string }
	}
	if json.NewDecoder(req.Body).Decode(&event) != nil {
		return
	}
	r, who := s.rig, event.Participant.Identity
	r.mu.Lock()
	switch event.Event {
	case "participant_joined":
		r.inside[who] = true
	case "participant_left":
		delete(r.inside, who)
	case "track_published":
		r.count.Tracks++
	}
	r.mu.Unlock()
	if event.Event != "track_published" {
		return
	}
	switch {
	case r.Faults[Sound] == HangsUp:
		go s.call("RemoveParticipant", event.Room.Name, map[string]any{"room": event.Room.Name, "identity": who})
	case r.Faults[Sound] == Muted, r.MuteOnStart:
		go s.call("MutePublishedTrack", event.Room.Name, map[string]any{"room": event.Room.Name, "identity": who, "track_sid": event.Track.SID, "muted": true})
	}
}
