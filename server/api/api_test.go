package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/reflector"
	"github.com/tonprobe/tonprobe/server/store"
)

func TestRoutesMatchTheSpec(t *testing.T) {
	g := newRig(t)
	mounted, described := map[string]bool{}, map[string]bool{}
	for _, r := range g.api.routes() {
		mounted[r.method+" "+r.path] = true
	}
	for path, item := range g.spec.Paths.Map() {
		for method := range item.Operations() {
			described[method+" "+path] = true
		}
	}
	if !maps.Equal(mounted, described) {
		t.Errorf("mounted   %v\ndescribed %v", slices.Sorted(maps.Keys(mounted)), slices.Sorted(maps.Keys(described)))
	}
}

func TestEveryAgentRouteAsksForAToken(t *testing.T) {
	g := newRig(t)
	for path, item := range g.spec.Paths.Map() {
		for method, op := range item.Operations() {
			open := op.Security != nil && len(*op.Security) == 0
			w := g.do(ask{method: method, path: strings.ReplaceAll(path, "{id}", "x"), body: []byte("{}")})
			if (w.Code == http.StatusUnauthorized) == open {
				t.Errorf("%s %s without a token: got status %d; open according to openapi.yaml: %v", method, path, w.Code, open)
			}
			if w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s %s: got no WWW-Authenticate", method, path)
			}
		}
	}
}

func TestWrongPathsAndMethods(t *testing.T) {
	g := newRig(t)
	wantFault(t, g.do(ask{method: http.MethodGet, path: "/api/v1/nothing"}), http.StatusNotFound, "not_found")
	w := g.do(ask{method: http.MethodGet, path: "/api/v1/reports"})
	wantFault(t, w, http.StatusMethodNotAllowed, "method_not_allowed")
	if w.Header().Get("Allow") != "POST" {
		t.Errorf("got Allow %q, want %q", w.Header().Get("Allow"), "POST")
	}
}

func TestEnroll(t *testing.T) {
	g := newRig(t)
	events := g.live.Subscribe(t.Context())
	i := g.invite("Müller <script>")
	w := g.do(ask{method: http.MethodPost, path: "/api/v1/enroll", body: enrollBody(strings.ToLower(i.Code))})
	var e wire.EnrollResponse
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != http.StatusCreated || e.Participant != "Müller <script>" {
		t.Fatalf("got status %d: %s, want 201 with the name of the participant", w.Code, w.Body)
	}
	if got := <-events; got.Kind != live.ParticipantEnrolled || got.ParticipantID != i.Participant.ID {
		t.Errorf("got event %+v; want Kind %v, ParticipantID %v", got, live.ParticipantEnrolled, i.Participant.ID)
	}
	if a, _, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token)); err != nil || a.ID != e.AgentID {
		t.Errorf("got agent %+v, error %v; want ID %v", a, err, e.AgentID)
	}
	for name, c := range map[string]struct {
		ask
		status int
		code   string
	}{
		"used code":    {ask{body: enrollBody(i.Code)}, http.StatusNotFound, "enroll_code_invalid"},
		"no code":      {ask{body: []byte(`{}`)}, http.StatusNotFound, "enroll_code_invalid"},
		"no JSON":      {ask{body: []byte(`code=1`)}, http.StatusBadRequest, "body_malformed"},
		"wrong kind":   {ask{body: []byte(`{"code":1}`)}, http.StatusBadRequest, "body_malformed"},
		"a form":       {ask{body: enrollBody("x"), contentType: "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType, "content_type"},
		"10 MB":        {ask{body: enrollBody(strings.Repeat("x", 10<<20))}, http.StatusRequestEntityTooLarge, "too_large"},
		"bad agent id": {ask{body: []byte(`{"code":"x","agent_id":"../x"}`)}, http.StatusBadRequest, "agent_invalid"},
		"escape codes": {ask{body: []byte(`{"code":"x","agent":{"os":"\u001b[2J"}}`)}, http.StatusBadRequest, "agent_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			c.method, c.path = http.MethodPost, "/api/v1/enroll"
			wantFault(t, g.do(c.ask), c.status, c.code)
		})
	}
}

func TestGuessingCodesIsSlow(t *testing.T) {
	g := newRig(t)
	guess := ask{method: http.MethodPost, path: "/api/v1/enroll", body: enrollBody("0000-0000-0000"), from: "192.0.2.1:1"}
	for range enrolBurst {
		wantFault(t, g.do(guess), http.StatusNotFound, "enroll_code_invalid")
	}
	w := g.do(guess)
	wantFault(t, w, http.StatusTooManyRequests, "rate_limited")
	if w.Header().Get("Retry-After") != "30" {
		t.Errorf("got Retry-After %q, want %q", w.Header().Get("Retry-After"), "30")
	}
	elsewhere := guess
	elsewhere.from = "192.0.2.2:1"
	wantFault(t, g.do(elsewhere), http.StatusNotFound, "enroll_code_invalid")
	g.wait(enrolEvery)
	wantFault(t, g.do(guess), http.StatusNotFound, "enroll_code_invalid")
}

func TestOfficeEnrolsAtOnce(t *testing.T) {
	g := newRig(t)
	for n := range 3 * enrolBurst {
		g.enrolled(fmt.Sprint("councillor ", n)) // all from one address, at the same time
	}
}

func TestAgentRequestsAreLimited(t *testing.T) {
	g := newRig(t)
	fast, other := g.enrolled("A"), g.enrolled("B")
	ice := func(e wire.EnrollResponse) int {
		return g.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: e.Token}).Code
	}
	for n := range agentBurst {
		if got := ice(fast); got != http.StatusOK {
			t.Fatalf("request %d: got status %d, want %d", n, got, http.StatusOK)
		}
	}
	if got := ice(fast); got != http.StatusTooManyRequests {
		t.Errorf("beyond the burst: got status %d, want %d", got, http.StatusTooManyRequests)
	}
	if got := ice(other); got != http.StatusOK {
		t.Errorf("another agent: got status %d, want %d", got, http.StatusOK)
	}
	g.wait(agentEvery)
	if got := ice(fast); got != http.StatusOK {
		t.Errorf("after the wait: got status %d, want %d", got, http.StatusOK)
	}
}

func TestBlockedParticipant(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	_, p, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil {
		t.Fatal(err)
	}
	q := ask{method: http.MethodPost, path: "/api/v1/reports", token: e.Token, body: encode(t, g.newReport(e.AgentID))}
	if err := g.store.SetBlocked(t.Context(), p.ID, true); err != nil {
		t.Fatal(err)
	}
	wantFault(t, g.do(q), http.StatusForbidden, "participant_blocked")
	if err := g.store.SetBlocked(t.Context(), p.ID, false); err != nil {
		t.Fatal(err)
	}
	if w := g.do(q); w.Code != http.StatusAccepted {
		t.Errorf("after unblocking: got status %d, want %d: %s", w.Code, http.StatusAccepted, w.Body)
	}
}

func TestLastSeenIsTheServersTime(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	g.wait(2 * touchEvery)
	g.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: e.Token})
	a, _, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil || !a.LastSeenAt.Equal(g.clock()) {
		t.Errorf("got last seen %v, want %v (error %v)", a.LastSeenAt, g.clock(), err)
	}
}

func TestICE(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	for host, want := range map[string]string{
		"tonprobe.example:8443": "turn:tonprobe.example:3478", "tonprobe.example": "turn:tonprobe.example:3478", "[2001:db8::1]:8443": "turn:[2001:db8::1]:3478",
	} {
		q := ask{method: http.MethodGet, path: "http://" + host + "/api/v1/ice", token: e.Token}
		w := g.do(q)
		c, err := wire.ParseICEConfig(w.Body.Bytes())
		if err != nil || c.ICEServers[0].URLs[0] != want || c.ICEServers[0].Username != e.AgentID {
			t.Errorf("%s: got %s, error %v; want %s for agent %s", host, w.Body, err, want, e.AgentID)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Error("the response with credentials may be cached")
		}
	}
	behind := newRig(t, func(c *Config) { c.MediaHost = "media.example" })
	w := behind.do(ask{method: http.MethodGet, path: "/api/v1/ice", token: behind.enrolled("A").Token})
	if !strings.Contains(w.Body.String(), "turn:media.example:") {
		t.Errorf("with its own host: got %s; want it to contain %q", w.Body, "turn:media.example:")
	}
}

func TestEcho(t *testing.T) {
	g := newRig(t)
	e, other := g.enrolled("A"), g.enrolled("B")
	offer := ask{method: http.MethodPost, path: "/api/v1/echo", token: e.Token, body: []byte("v=0\r\n"), contentType: wire.MediaTypeSDP}
	w := g.do(offer)
	at := w.Header().Get("Location")
	if w.Code != http.StatusCreated || w.Body.String() != "v=0\r\n" || w.Header().Get("Content-Type") != wire.MediaTypeSDP {
		t.Fatalf("got status %d: %s, want 201 with the answer as SDP", w.Code, w.Body)
	}
	wantFault(t, g.do(ask{method: http.MethodDelete, path: at, token: other.Token}), http.StatusNotFound, "echo_unknown")
	w = g.do(ask{method: http.MethodDelete, path: at, token: e.Token})
	if log, err := wire.ParseEchoLog(w.Body.Bytes()); err != nil || log.UpUnique != 2 {
		t.Errorf("got log %s, error %v; want 2 packets", w.Body, err)
	}
	wantFault(t, g.do(ask{method: http.MethodDelete, path: at, token: e.Token}), http.StatusNotFound, "echo_unknown")

	bad := offer
	bad.body = []byte("hello")
	wantFault(t, g.do(bad), http.StatusBadRequest, "offer_invalid")
	bad = offer
	bad.contentType = "application/json"
	wantFault(t, g.do(bad), http.StatusUnsupportedMediaType, "content_type")
	bad = offer
	bad.body = make([]byte, maxOfferBytes+1)
	wantFault(t, g.do(bad), http.StatusRequestEntityTooLarge, "too_large")
	g.echo.fault = reflector.ErrBusy
	w = g.do(offer)
	wantFault(t, w, http.StatusServiceUnavailable, "echo_busy")
	if w.Header().Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	g.echo.fault = errBroken
	wantFault(t, g.do(offer), http.StatusInternalServerError, "internal")
}

func TestHealth(t *testing.T) {
	broken := false
	g := newRig(t, func(c *Config) {
		c.Ready["reflector"] = func(context.Context) error {
			if broken {
				return errBroken
			}
			return nil
		}
	})
	for _, path := range []string{"/healthz", "/readyz", "/api/v1/openapi.yaml"} {
		if w := g.do(ask{method: http.MethodGet, path: path}); w.Code != http.StatusOK {
			t.Errorf("%s: got status %d, want %d", path, w.Code, http.StatusOK)
		}
	}
	broken = true
	w := g.do(ask{method: http.MethodGet, path: "/readyz"})
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"reflector":"failed"`) || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got status %d: %s, want 503 with the failed reflector and without the secret", w.Code, w.Body)
	}
	if !strings.Contains(g.log.String(), errBroken.Error()) {
		t.Errorf("the problem is not in the log: %s", g.log)
	}
}

// TestReadySaysWhatIsWrong: only requests from inside the network get the details.
func TestReadySaysWhatIsWrong(t *testing.T) {
	g := newRig(t, func(c *Config) {
		c.Ready["reflector"] = func(context.Context) error {
			return &reflector.NotReadyError{Problems: []string{"UDP 10.0.0.5:3478 does not answer"}}
		}
	})
	for from, told := range map[string]bool{"127.0.0.1": true, "10.0.0.9": true, "::1": true, "203.0.113.9": false} {
		w := g.do(ask{method: http.MethodGet, path: "/readyz", from: net.JoinHostPort(from, "9")})
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "10.0.0.5") != told {
			t.Errorf("%s: got status %d: %s, want 503, with the details: %v", from, w.Code, w.Body, told)
		}
	}
}

func TestMetrics(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("Anna Geheim")
	g.do(ask{method: http.MethodPost, path: "/api/v1/reports", token: e.Token, body: encode(t, g.newReport(e.AgentID))})
	text := g.metrics()
	for _, want := range []string{`tonprobe_enrolments_total{result="enrolled"} 1`, `tonprobe_reports_total{status="stored"} 1`,
		`tonprobe_http_request_seconds_count{route="POST /api/v1/reports",status="202"} 1`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	if strings.Contains(text, "Geheim") || strings.Contains(text, e.AgentID) {
		t.Error("the metrics contain personal data")
	}
}

func TestEveryResponseContainsTheTime(t *testing.T) {
	g := newRig(t)
	for _, path := range []string{"/healthz", "/api/v1/reports", "/api/v1/nothing"} {
		w := g.do(ask{method: http.MethodGet, path: path})
		if got := w.Header().Get("Tonprobe-Time-Ms"); got != fmt.Sprint(g.clock().UnixMilli()) {
			t.Errorf("%s: got %q, want %d", path, got, g.clock().UnixMilli())
		}
	}
}

// TestCollectorsShareTheLimitOfCodes: a second collector does not permit more codes.
func TestCollectorsShareTheLimitOfCodes(t *testing.T) {
	one := newRig(t)
	shared := func(c *Config) {
		c.Store, c.Shared = one.store, limit.NewShared(one.store, []byte("key"), one.clock)
	}
	first, second := newRig(t, shared), newRig(t, shared)
	guess := ask{method: http.MethodPost, path: "/api/v1/enroll", body: enrollBody("0000-0000-0000"), from: "192.0.2.1:1"}
	for n := range enrolBurst {
		wantFault(t, []*rig{first, second}[n%2].do(guess), http.StatusNotFound, "enroll_code_invalid")
	}
	for _, g := range []*rig{first, second} {
		wantFault(t, g.do(guess), http.StatusTooManyRequests, "rate_limited")
	}
}
