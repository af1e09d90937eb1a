package whip_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/reflector"
	"github.com/tonprobe/tonprobe/server/whip"
)

var secret = []byte("639259d4-9dd8-4b25-bf01-95f9567eaf4b")

func start(t *testing.T) (r *reflector.Reflector, url string) {
	t.Helper()
	loopback := func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil }
	r, err := reflector.New(reflector.Config{STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0", Addresses: loopback})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	e := whip.Endpoint{Echo: r, Secret: secret, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	s := httptest.NewServer(e.Handler())
	t.Cleanup(s.Close)
	return r, s.URL + whip.Path
}

func check(ctx context.Context, t *testing.T, url, token string) (probe.Result, *report.Conference) {
	t.Helper()
	n, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	env := probe.Env{Clock: probe.SystemClock{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {}}
	p, err := conference.Find(ctx, conference.Config{Address: url, Token: token, Direct: true}, env)
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Run(ctx, env)
	if err != nil {
		t.Fatal(err)
	}
	return result, result.Data.(*report.Conference)
}

func token(t *testing.T, secret []byte, now time.Time) string {
	t.Helper()
	text, err := whip.Token(secret, now)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestCheckOfTheReflector: the check of a WHIP endpoint measures both directions of the
// reflector, tests its relays, and leaves no session.
func TestCheckOfTheReflector(t *testing.T) {
	need.Full(t, "a whole check, which needs a computer that is not busy")
	r, url := start(t)
	result, got := check(t.Context(), t, url, token(t, secret, time.Now()))
	for range 3 {
		if got.Media == nil || got.Media.State != report.MediaSelfCheckVoid {
			break
		}
		t.Log("repeated: this computer missed its schedule, according to the check itself")
		result, got = check(t.Context(), t, url, token(t, secret, time.Now()))
	}
	for _, step := range []report.ConferenceStep{report.StepAPI, report.StepSignIn, report.StepRelay, report.StepCall, report.StepPath, report.StepKeys, report.StepSoundUp, report.StepSoundDown} {
		if c, _ := got.Check(step); c.Status != report.StatusOK || c.Code != "" {
			t.Errorf("step %s: got %s %s; want %s, none", step, c.Status, c.Code, report.StatusOK)
		}
	}
	m := got.Media
	if result.Status != report.StatusOK || m == nil || m.State != report.MediaComplete {
		t.Fatalf("got status %s, media %+v; want %s, non-nil, State %v", result.Status, m, report.StatusOK, report.MediaComplete)
	}
	if m.Sent == nil || m.UpLossPct == nil || m.DownLossPct == nil || m.UpJitterMS == nil || m.DownJitterMS == nil || m.RTTP95MS == nil || m.MOS == nil || m.SelfCheck == "" {
		b, _ := json.Marshal(m)
		t.Errorf("some figures are missing: %s", b)
	}
	wantNoSessions(t, r)
}

// wantNoSessions waits until the reflector has released all sessions, which it does shortly after
// the answer to DELETE.
func wantNoSessions(t *testing.T, r *reflector.Reflector) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); r.Stats().SessionsOpen != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions are left, want 0", r.Stats().SessionsOpen)
		}
	}
}

// TestLeavesWhenCancelled: a check that is stopped during the stream ends its session.
func TestLeavesWhenCancelled(t *testing.T) {
	r, url := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *report.Conference)
	go func() {
		_, got := check(ctx, t, url, token(t, secret, time.Now()))
		done <- got
	}()
	for deadline := time.Now().Add(10 * time.Second); r.Stats().SessionsOpen == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no session was opened")
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-done
	wantNoSessions(t, r)
}

func TestTokens(t *testing.T) {
	now := time.Now()
	r, url := start(t)
	for name, c := range map[string]struct{ token, want string }{
		"none":         {"", "unknown needs_link"},
		"other secret": {token(t, []byte("other"), now), "fail token_refused"},
		"expired":      {token(t, secret, now.Add(-time.Hour)), "fail token_refused"},
		"not yet":      {token(t, secret, now.Add(time.Hour)), "fail token_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := check(t.Context(), t, url, c.token)
			step, _ := got.Check(report.StepSignIn)
			if is := strings.TrimSpace(string(step.Status) + " " + step.Code); is != c.want {
				t.Errorf("got %s, want %s", is, c.want)
			}
			if relay, _ := got.Check(report.StepRelay); relay.Status == report.StatusOK {
				t.Error("got relays without a token")
			}
		})
	}
	if n := r.Stats().SessionsStarted; n != 0 {
		t.Errorf("got %d sessions without a valid token, want 0", n)
	}
}

func TestBadTokens(t *testing.T) {
	now := time.Now()
	good := token(t, secret, now)
	if owner, err := whip.Verify(good, secret, now); err != nil || !strings.HasPrefix(owner, "tonprobe-") {
		t.Errorf("got owner %q, error %v; want it to begin with %q", owner, err, "tonprobe-")
	}
	for _, bad := range []string{"", ".", "..", "a.b.c", good + "x", strings.Replace(good, ".", "..", 1), good[:len(good)-2],
		// {"alg":"none"} with the same claims
		"eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + "."} {
		if _, err := whip.Verify(bad, secret, now); err == nil {
			t.Errorf("the invalid token %q was accepted", bad)
		}
	}
	if _, err := whip.Verify(token(t, nil, now), nil, now); err == nil {
		t.Error("without a secret every token is accepted")
	}
}

func FuzzVerify(f *testing.F) {
	good, err := whip.Token(secret, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := whip.Verify(text, secret, time.Unix(0, 0)); err == nil {
			t.Errorf("the token %q was accepted in 1970", text)
		}
	})
}

func TestRefusals(t *testing.T) {
	_, url := start(t)
	for name, c := range map[string]struct {
		method, url, kind, body string
		status                  int
	}{
		"type":       {http.MethodPost, url, "text/plain", "v=0", http.StatusUnsupportedMediaType},
		"offer":      {http.MethodPost, url, "application/sdp", "v=0", http.StatusBadRequest},
		"huge offer": {http.MethodPost, url, "application/sdp", strings.Repeat("a", 1<<20), http.StatusBadRequest},
		"session":    {http.MethodDelete, url + "/x", "", "", http.StatusNotFound},
		"trickle":    {http.MethodPatch, url + "/x", "application/trickle-ice-sdpfrag", "a=end-of-candidates", http.StatusMethodNotAllowed},
	} {
		q, err := http.NewRequestWithContext(t.Context(), c.method, c.url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", c.kind)
		q.Header.Set("Authorization", "Bearer "+token(t, secret, time.Now()))
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: got status %d, want %d", name, resp.StatusCode, c.status)
		}
	}
}
