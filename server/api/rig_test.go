package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/observe"
	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/reflector"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// rig is the API with a real store, and a clock and an echo that the test controls.
type rig struct {
	t       *testing.T
	api     *API
	handler http.Handler
	store   *sqlstore.Store
	live    *live.Hub
	agents  *live.Agents
	echo    *fakeEcho
	spec    *openapi3.T
	router  routers.Router
	log     *bytes.Buffer

	registry *prometheus.Registry

	mu  sync.Mutex
	now time.Time
}

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	s := sqlitetest.Open(t)
	g := &rig{t: t, store: s, live: live.NewHub(), echo: &fakeEcho{sessions: map[string]string{}}, log: new(bytes.Buffer),
		now: time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)}
	g.loadSpec()
	g.registry = prometheus.NewRegistry()
	log := slog.New(slog.NewTextHandler(g.log, nil))
	g.agents = live.NewAgents(live.AgentsConfig{Hub: g.live, Now: g.clock, Random: rand.Reader, Log: log})
	t.Cleanup(g.agents.Close)
	c := Config{Store: s, Echo: g.echo, Live: g.live, Agents: g.agents, Log: log, Now: g.clock,
		Random: rand.Reader, Registry: g.registry,
		Ready: map[string]func(context.Context) error{"store": s.Ping}}
	for _, f := range change {
		f(&c)
	}
	g.api = New(c)
	mux := http.NewServeMux()
	g.api.Mount(mux)
	g.handler = peer.Resolve(nil, observe.New(c.Log, g.clock, c.Registry).Handler(mux))
	return g
}

// metrics returns the metrics as Prometheus reads them.
func (g *rig) metrics() string {
	w := httptest.NewRecorder()
	promhttp.HandlerFor(g.registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

func (g *rig) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *rig) wait(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

// loadSpec reads the description once for all tests.
var loadSpec = sync.OnceValues(func() (*openapi3.T, error) {
	for _, text := range []string{"application/sdp", "application/yaml"} {
		openapi3filter.RegisterBodyDecoder(text, openapi3filter.PlainBodyDecoder)
	}
	spec, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	return spec, spec.Validate(context.Background())
})

func (g *rig) loadSpec() {
	g.t.Helper()
	var err error
	if g.spec, err = loadSpec(); err != nil {
		g.t.Fatal(err)
	}
	if g.router, err = legacy.NewRouter(g.spec); err != nil {
		g.t.Fatal(err)
	}
}

// ask describes one request.
type ask struct {
	method, path string
	body         []byte
	token        string
	contentType  string // "" is JSON where there is a body
	encoding     string
	from         string // address; "" is httptest's
}

// do sends a request and validates the response against openapi.yaml. A request with a
// response of 2xx must be valid as well.
func (g *rig) do(q ask) *httptest.ResponseRecorder {
	g.t.Helper()
	r := q.request(g.t.Context())
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	g.validateAgainstSpec(q, w)
	return w
}

func (q ask) request(ctx context.Context) *http.Request {
	r := httptest.NewRequestWithContext(ctx, q.method, q.path, bytes.NewReader(q.body))
	if q.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range map[string]string{"Content-Type": q.contentType, "Content-Encoding": q.encoding} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.from != "" {
		r.RemoteAddr = q.from
	}
	return r
}

func (g *rig) validateAgainstSpec(q ask, w *httptest.ResponseRecorder) {
	g.t.Helper()
	r := q.request(g.t.Context())
	route, params, err := g.router.FindRoute(r)
	if err != nil {
		return // a wrong path or method, tested elsewhere
	}
	in := &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeRequestBody: q.encoding != "",
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if w.Code < 300 {
		if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
			g.t.Errorf("%s %s: accepted a request that openapi.yaml does not permit: %v", q.method, q.path, err)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(), Options: in.Options}
	out.SetBodyBytes(w.Body.Bytes())
	if err := openapi3filter.ValidateResponse(r.Context(), out); err != nil {
		g.t.Errorf("%s %s: the response does not match openapi.yaml: %v", q.method, q.path, err)
	}
}

// wantFault checks the status and code of an error.
func wantFault(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Errorf("the error is not JSON: %s", w.Body)
	}
	if w.Code != status || body.Error.Code != code || body.Error.Message == "" {
		t.Errorf("got %d %s, want %d %s", w.Code, strings.TrimSpace(w.Body.String()), status, code)
	}
}

// enrolled adds a participant and returns the response to its agent's enrolment.
func (g *rig) enrolled(name string) wire.EnrollResponse {
	g.t.Helper()
	i := g.invite(name)
	w := g.do(ask{method: http.MethodPost, path: "/api/v1/enroll", body: enrollBody(i.Code)})
	if w.Code != http.StatusCreated {
		g.t.Fatalf("enroll: got status %d, want %d: %s", w.Code, http.StatusCreated, w.Body)
	}
	var e wire.EnrollResponse
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		g.t.Fatal(err)
	}
	return e
}

func (g *rig) invite(name string) enroll.Invitation {
	g.t.Helper()
	i, err := enroll.Enroller{Store: g.store, Now: g.clock, Random: rand.Reader}.Invite(g.t.Context(), name, "")
	if err != nil {
		g.t.Fatal(err)
	}
	return i
}

func enrollBody(code string) []byte {
	return fmt.Appendf(nil, `{"code":%q,"agent":{"version":"1.0","os":"linux","arch":"amd64"}}`, code)
}

// newReport returns a valid report of an agent.
func (g *rig) newReport(agentID string) *report.Report {
	g.t.Helper()
	id, err := report.NewID(g.clock(), rand.Reader)
	if err != nil {
		g.t.Fatal(err)
	}
	at := g.clock().Add(-time.Minute)
	return &report.Report{Schema: report.SchemaV1, ID: id, Case: "K7P-3QX",
		Agent:   report.Agent{ID: agentID, Version: "1.0", OS: "linux", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", StartedAt: at, DurationMS: 9000, Verdict: report.Ready,
		Probes: []report.Result{{Name: report.ProbeNAT, Version: 1, Status: report.StatusOK, StartedAt: at,
			Data: &report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen, PublicAddress: "203.0.113.77"}}}}
}

func encode(t *testing.T, r *report.Report) []byte {
	t.Helper()
	b, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func results(t *testing.T, w *httptest.ResponseRecorder) []reportResult {
	t.Helper()
	var body struct{ Results []reportResult }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusAccepted {
		t.Fatalf("got status %d: %s, want 202", w.Code, w.Body)
	}
	return body.Results
}

// fakeEcho is a reflector without sockets.
type fakeEcho struct {
	mu       sync.Mutex
	sessions map[string]string // owner by id
	fault    error
}

func (f *fakeEcho) Offer(_ context.Context, owner, offer string) (id, answer string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fault != nil {
		return "", "", f.fault
	}
	if !strings.HasPrefix(offer, "v=0") {
		return "", "", fmt.Errorf("%w: no SDP", reflector.ErrBadOffer)
	}
	id = fmt.Sprint("session-", len(f.sessions))
	f.sessions[id] = owner
	return id, "v=0\r\n", nil
}

func (f *fakeEcho) End(owner, id string) (wire.EchoLog, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sessions[id] != owner {
		return wire.EchoLog{}, reflector.ErrNoSession
	}
	delete(f.sessions, id)
	return *wire.NewEchoLog([]wire.Arrival{{Seq: 0, ArrivedNS: 1}, {Seq: 1, ArrivedNS: 2}}, 2, 0), nil
}

func (f *fakeEcho) ICE(owner, host string) wire.ICEConfig {
	return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"turn:" + net.JoinHostPort(host, "3478")}, Username: owner, Credential: "x"}}}
}

func (f *fakeEcho) MeasureOwner(token string) (owner string, ok bool) {
	return strings.CutPrefix(token, "measure.")
}

var errBroken = errors.New("disk on fire at /var/lib/secret")
