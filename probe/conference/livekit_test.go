//go:build linux

package conference_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

const liveKitSecret = "secretsecretsecretsecretsecretsecret"

// liveKit starts a real LiveKit and returns the address of its signalling.
func liveKit(t *testing.T, rtc string) (base string) {
	t.Helper()
	need.Programs(t, "livekit-server")
	web := freePort(t)
	base, _ = startLiveKit(t, web, liveKitConfig(web, rtc))
	return base
}

func liveKitConfig(web int, rtc string) string {
	return fmt.Sprintf("port: %d\nbind_addresses: [127.0.0.1]\nkeys: {devkey: %s}\nlogging: {level: error}\nrtc: {%s}\n", web, liveKitSecret, rtc)
}

// startLiveKit starts a real LiveKit with a port and a configuration; kill kills it.
func startLiveKit(t *testing.T, web int, config string) (base string, kill func()) {
	t.Helper()
	base = fmt.Sprintf("http://127.0.0.1:%d", web)
	return base, start(t, base, "livekit-server", "--config-body", config, "--node-ip", "127.0.0.1")
}

func bothTransports(t *testing.T) string {
	return fmt.Sprintf("tcp_port: %d, udp_port: %d, enable_loopback_candidate: true", freePort(t), freePort(t))
}

// signed returns a token for LiveKit.
func signed(t *testing.T, secret string, claims map[string]any) string {
	t.Helper()
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(b)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// token returns a token for a test room, like the collector's.
func token(t *testing.T, secret, room string, publish bool, life time.Duration) string {
	t.Helper()
	identity := "tonprobe-listens"
	if publish {
		identity = "tonprobe-speaks"
	}
	return signed(t, secret, map[string]any{
		"iss": "devkey", "sub": identity, "nbf": time.Now().Add(-time.Hour).Unix(), "exp": time.Now().Add(life).Unix(),
		"video":      map[string]any{"room": room, "roomJoin": true, "canPublish": publish, "canSubscribe": !publish, "canPublishData": false},
		"roomConfig": map[string]any{"emptyTimeout": 10, "departureTimeout": 1, "maxParticipants": 2},
	})
}

// room returns a test room, like the collector's.
func room(t *testing.T) *wire.Room {
	t.Helper()
	name := "tonprobe-echo-" + rand.Text()
	return &wire.Room{Name: name, Publish: token(t, liveKitSecret, name, true, 4*time.Minute), Subscribe: token(t, liveKitSecret, name, false, 4*time.Minute)}
}

// join checks a LiveKit with a test room.
func join(t testing.TB, base string, r *wire.Room, e probe.Env) (probe.Result, *report.Conference) {
	t.Helper()
	return joinUntil(t.Context(), t, base, r, e)
}

func joinUntil(ctx context.Context, t testing.TB, base string, r *wire.Room, e probe.Env) (probe.Result, *report.Conference) {
	t.Helper()
	p, err := conference.Find(ctx, conference.Config{Address: base, System: "livekit", Room: r, Direct: true}, e)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	return got, got.Data.(*report.Conference)
}

// TestRealLiveKit checks a real LiveKit without a token.
func TestRealLiveKit(t *testing.T) {
	base := liveKit(t, bothTransports(t))
	r, got := check(t, base+"/rtc", nil)
	conferencetest.Want(t, got, map[report.ConferenceStep]string{
		report.StepAPI: "ok", report.StepRoundTrip: "ok", report.StepSignalling: "ok asks_sign_in", report.StepSoundUp: "unknown needs_link",
	})
	if r.Status != report.StatusOK {
		t.Errorf("got status %s, want %s", r.Status, report.StatusOK)
	}
}

// TestRealLiveKitCall: a voice is sent from one participant to the other, and both leave.
func TestRealLiveKitCall(t *testing.T) {
	base, r := liveKit(t, bothTransports(t)), room(t)
	stop := conferencetest.Delays(t)
	result, got := join(t, base, r, probetest.Env(t))
	delayMS, _ := stop()
	conferencetest.Want(t, got, map[report.ConferenceStep]string{
		report.StepSignalling: "ok asks_sign_in", report.StepSignIn: "ok", report.StepCall: "ok", report.StepPath: "ok", report.StepKeys: "ok",
		report.StepSoundUp: "ok", report.StepSoundDown: "ok", report.StepPathTCP: "ok", report.StepRelay: "unknown not_offered", report.StepPathRelay: "unknown not_offered",
	})
	m := got.Media
	if result.Status != report.StatusOK || got.Version == "" || m == nil {
		t.Fatalf("got status %s, version %q, media %v; want %s, non-empty, non-nil", result.Status, got.Version, m, report.StatusOK)
	}
	if *m.Sent != 120 || *m.DownReceived < 119 || m.RTTP50MS == nil || *m.RTTP50MS > 20+delayMS || m.UpLossPct == nil || *m.UpLossPct > 1 || *m.DownLossPct > 1 || m.Path != "host udp" {
		b, _ := json.Marshal(m)
		t.Errorf("got %s; want 120 packets sent, at least 119 received, a round trip of at most 20 ms and the delays of this computer, %.1f ms, at most 1 %% lost, path host udp", b, delayMS)
	}
	api{t, base}.awaitNobody(r.Name)
}

// TestRealLiveKitRelay: the server's relay is tested as well; one that refuses the media
// server's address is distinguished from a working one.
func TestRealLiveKitRelay(t *testing.T) {
	t.Parallel() // no figures of the line are asserted
	for name, c := range map[string]struct{ allow, relay, path string }{
		"permits": {"[127.0.0.0/8]", "ok", "ok"},
		"denies":  {"[10.0.0.0/8]", "fail denied", "warn no_path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := liveKit(t, bothTransports(t)+fmt.Sprintf(", ips: {includes: [127.0.0.1/32]}}\nturn: {enabled: true, domain: localhost, udp_port: %d, relay_range_start: 41000, relay_range_end: 41100, allow_restricted_peer_cidrs: %s", freePort(t), c.allow))
			_, got := join(t, base, room(t), probetest.Env(t))
			conferencetest.Want(t, got, map[report.ConferenceStep]string{report.StepPath: "ok", report.StepSoundDown: "ok", report.StepPathTCP: "ok", report.StepRelay: c.relay, report.StepPathRelay: c.path})
			if len(got.Relays) != 1 || got.Relays[0].Transport != "udp" || got.Relays[0].Permitted == nil || *got.Relays[0].Permitted != (c.relay == "ok") {
				t.Errorf("got relays %+v, want one over udp with permitted %t", got.Relays, c.relay == "ok")
			}
		})
	}
}

// api calls the server's API for administrators.
type api struct {
	t    *testing.T
	base string
}

func (a api) call(method string, room string, request, answer any) {
	a.t.Helper()
	token := signed(a.t, liveKitSecret, map[string]any{"iss": "devkey", "exp": time.Now().Add(time.Minute).Unix(),
		"video": map[string]any{"room": room, "roomAdmin": true, "roomList": true, "roomCreate": true}})
	b, err := json.Marshal(request)
	if err != nil {
		a.t.Fatal(err)
	}
	q, err := http.NewRequest(http.MethodPost, a.base+"/twirp/livekit.RoomService/"+method, bytes.NewReader(b))
	if err != nil {
		a.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer != nil {
		_ = json.NewDecoder(resp.Body).Decode(answer) // an error if the room does not exist
	}
}

type participants struct {
	Participants []struct {
		Identity string
		Tracks   []struct{ SID string }
	}
}

// awaitNobody waits until the room is empty, for less time than the server waits for a
// participant that disconnected without leaving.
func (a api) awaitNobody(room string) {
	a.t.Helper()
	for deadline := time.Now().Add(3 * time.Second); ; {
		var in participants
		a.call("ListParticipants", room, map[string]string{"room": room}, &in)
		if len(in.Participants) == 0 {
			return
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("participants still in the room: %+v", in)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awaitTrack waits for the stream and returns its name.
func (a api) awaitTrack(room string) string {
	for deadline := time.Now().Add(10 * time.Second); ; {
		var in participants
		a.call("ListParticipants", room, map[string]string{"room": room}, &in)
		for _, p := range in.Participants {
			if len(p.Tracks) > 0 {
				return p.Tracks[0].SID
			}
		}
		if time.Now().After(deadline) {
			a.t.Error("no stream in the room")
			return ""
		}
		time.Sleep(20 * time.Millisecond)
	}
}
