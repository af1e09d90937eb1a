//go:build unix

package local

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

const token = "secret-token-that-must-not-leave"

// fakeAgent is enrolled at url.
type fakeAgent struct {
	url       string
	roots     *x509.CertPool
	enrollErr error
	anywhere  bool
	taken     int
	recordErr error
	allowed   bool // network retests
	fixed     bool
	kind      report.HostEventKind // of the history
}

func (f *fakeAgent) Status() (Status, error) {
	return Status{AgentID: "a", Enrolment: Public(&identity.Enrolment{Server: f.url, Token: token, Participant: "Anna"})}, nil
}
func (f *fakeAgent) Enroll(_ context.Context, _ Invitation, anywhere bool) error {
	f.anywhere = anywhere
	return f.enrollErr
}
func (f *fakeAgent) Adopt(context.Context, identity.Identity) error { return ErrEnrolled }
func (f *fakeAgent) Collector() (*collector.Endpoint, error) {
	if f.url == "" {
		return nil, nil
	}
	return &collector.Endpoint{URL: f.url, Token: token, RootCAs: f.roots}, nil
}
func (f *fakeAgent) Take(context.Context, *report.Report, bool) (string, error) {
	f.taken++
	return "sent", nil
}
func (f *fakeAgent) Reports(context.Context) (Reports, error) { return Reports{}, nil }
func (f *fakeAgent) Report(context.Context, string) ([]byte, error) {
	return nil, ErrNoReport
}
func (f *fakeAgent) Events(since time.Time) (Recorded, error) {
	return Recorded{Events: []report.HostEvent{
		{At: since.Add(time.Second), Kind: report.EventClientHung, Program: "Zoom"}, {At: since, Kind: "of_a_newer_service"},
	}, Damaged: 2}, f.recordErr
}
func (f *fakeAgent) History(at time.Time) (*report.HostHistory, error) {
	return &report.HostHistory{At: at, Kind: f.kind, Minutes: []report.HostMinute{{At: at}}}, f.recordErr
}
func (f *fakeAgent) AllowNetworkRetest(allow bool) error {
	if f.fixed {
		return ErrFixed
	}
	f.allowed = allow
	return nil
}
func (f *fakeAgent) SelfCheck(context.Context) []Finding { return nil }
func (f *fakeAgent) LogLines() []string                  { return []string{"level=INFO msg=started"} }

var quiet = slog.New(slog.DiscardHandler)

// start runs a server for one peer until the end of the test.
func start(t *testing.T, agent Agent, peer Peer) (*Client, string) {
	t.Helper()
	return startWith(t, agent, nil, peer)
}

func startWith(t *testing.T, agent Agent, screens *Screens, peer Peer) (*Client, string) {
	t.Helper()
	address := filepath.Join(t.TempDir(), "agent.sock")
	ctx, cancel := context.WithCancel(context.Background())
	opened, ended := make(chan struct{}), make(chan error, 1)
	s := &Server{
		Address: address, Agent: agent, Screens: screens, Log: quiet, Opened: func() { close(opened) },
		peerOf: func(net.Conn) (Peer, error) { return peer, nil },
	}
	go func() { ended <- s.Run(ctx) }()
	select {
	case <-opened:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v at the end, want %v", err, context.Canceled)
		}
	})
	return NewClient(address), address
}

var person = Peer{Account: "1000", Person: true}

func TestStatusContainsNoToken(t *testing.T) {
	c, _ := start(t, &fakeAgent{url: "https://tonprobe.example.org"}, person)
	b, err := c.bytes(t.Context(), http.MethodGet, pathStatus, nil)
	if err != nil || !strings.Contains(string(b), "tonprobe.example.org") || strings.Contains(string(b), "oken") {
		t.Errorf("got %s, %v, want the collector and no token", b, err)
	}
}

// TestOnlyPeopleAreAdmitted calls every route from an account that belongs to a program.
func TestOnlyPeopleAreAdmitted(t *testing.T) {
	agent := &fakeAgent{url: "https://tonprobe.example.org"}
	c, _ := start(t, agent, Peer{Account: "33"})
	ctx := t.Context()
	_, status := c.Status(ctx)
	_, check := c.SelfCheck(ctx)
	_, enrolled := c.Enroll(ctx, Invitation{})
	_, adopted := c.Adopt(ctx, identity.Identity{})
	_, reports := c.Reports(ctx)
	_, one := c.Report(ctx, "x")
	_, events := c.Events(ctx, time.Now())
	_, history := c.History(ctx, time.Now())
	for i, err := range []error{status, check, enrolled, adopted, reports, one, events, history} {
		if !errors.Is(err, ErrNotAdmitted) {
			t.Errorf("request %d: got error %v, want %v", i, err, ErrNotAdmitted)
		}
	}
	e := &collector.Endpoint{URL: agent.url}
	base, _ := e.Base()
	e.Via = c.Via(base)
	if _, err := e.Targets(ctx, ""); !errors.Is(err, ErrNotAdmitted) {
		t.Errorf("got %v for a request to the collector, want %v", err, ErrNotAdmitted)
	}
}

func TestRecords(t *testing.T) {
	at := time.Date(2026, 3, 2, 18, 5, 0, 123, time.FixedZone("CET", 3600))
	agent := &fakeAgent{kind: report.EventSupportAsked}
	c, _ := start(t, agent, person)
	got, err := c.Events(t.Context(), at)
	if err != nil || got.Damaged != 2 || len(got.Events) != 1 || got.Events[0].Program != "Zoom" || !got.Events[0].At.Equal(at.Add(time.Second)) {
		t.Errorf("got %+v, %v, want the event of Zoom and 2 damaged", got, err)
	}
	h, err := c.History(t.Context(), at)
	if err != nil || !h.At.Equal(at) || len(h.Minutes) != 1 {
		t.Errorf("got %+v, %v, want one minute at %v", h, err, at)
	}
	agent.kind = "of_a_newer_service"
	if h, err := c.History(t.Context(), at); err == nil {
		t.Errorf("got %+v, want an error for a history that a report cannot hold", h)
	}
	for _, path := range []string{pathEvents, pathEvents + "?since=yesterday", pathHistory, pathHistory + "?at=-1"} {
		if _, err := c.bytes(t.Context(), http.MethodGet, path, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", path, err, ErrInvalid)
		}
	}
	agent.recordErr = ErrNoRecords
	_, events := c.Events(t.Context(), at)
	_, history := c.History(t.Context(), at)
	if !errors.Is(events, ErrNoRecords) || !errors.Is(history, ErrNoRecords) {
		t.Errorf("got %v and %v without a recorder, want %v", events, history, ErrNoRecords)
	}
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	for _, c := range codes() {
		agent := &fakeAgent{enrollErr: c.is}
		client, _ := start(t, agent, Peer{Account: "0", Person: true, Admin: true})
		_, err := client.Enroll(t.Context(), Invitation{Server: "https://x.example"})
		if !errors.Is(err, c.is) || !agent.anywhere {
			t.Errorf("got %v, anywhere %v, want %v, true", err, agent.anywhere, c.is)
		}
	}
	ours := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	client, _ := start(t, &fakeAgent{enrollErr: &collector.ClockError{Ours: ours, Theirs: ours.AddDate(6, 0, 0)}}, person)
	_, err := client.Enroll(t.Context(), Invitation{})
	if e, ok := errors.AsType[*collector.ClockError](err); !ok || !e.Ours.Equal(ours) || e.Theirs.Year() != 2026 {
		t.Errorf("got %v, want the clocks of %v and of 2026", err, ours)
	}
}

// collectorFor records the requests that arrive.
func collectorFor(t *testing.T) (url string, requests *[]string) {
	requests = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		*requests = append(*requests, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+string(b))
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Location", "/prefix/api/v1/echo/x1")
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/prefix", requests
}

func TestTheServiceAddsTheToken(t *testing.T) {
	at, requests := collectorFor(t)
	c, _ := start(t, &fakeAgent{url: at}, person)
	e := &collector.Endpoint{URL: at}
	base, err := e.Base()
	if err != nil {
		t.Fatal(err)
	}
	e.Via = c.Via(base)
	do := func(method, path, body string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), method, at+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/sdp")
		req.Header.Set("Authorization", "Bearer of-the-program")
		resp, err := e.Client().Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return resp, err
	}
	resp, err := do(http.MethodPost, "/api/v1/echo?x=y", "v=0")
	if err != nil || resp.StatusCode != http.StatusCreated || resp.Header.Get("Location") == "" || resp.Header.Get("Set-Cookie") != "" {
		t.Fatalf("got %v, %v, want status 201 with a location and no cookie", resp, err)
	}
	if want := "POST /prefix/api/v1/echo Bearer " + token + " v=0"; len(*requests) != 1 || (*requests)[0] != want {
		t.Errorf("the collector received %q, want %q", *requests, want)
	}
	*requests = nil
	if resp, err := do(http.MethodPost, "/"+wire.PathDisturbances, "{}"); err == nil && resp.StatusCode < 300 {
		t.Errorf("a disturbance of another type: got %v, want a refusal", resp.Status)
	}
	if _, err := e.ReportDisturbance(t.Context(), "1"); err == nil || len(*requests) != 1 || (*requests)[0] != "POST /prefix/"+wire.PathDisturbances+" Bearer "+token+` {"id":"1"}` {
		t.Errorf("a disturbance: the collector received %q, error %v", *requests, err)
	}
	*requests = nil
	for _, r := range [][3]string{
		{http.MethodPost, "/api/v1/reports", "{}"}, {http.MethodPost, "/api/v1/enroll", "{}"},
		{http.MethodGet, "/api/v1/agent/channel", ""}, {http.MethodGet, "/metrics", ""},
		{http.MethodDelete, "/api/v1/echo/..%2f..%2freports", ""}, {http.MethodPut, "/api/v1/ice", ""},
		{http.MethodPost, "/api/v1/echo", strings.Repeat("x", maxRequestBytes+1)},
	} {
		if resp, err := do(r[0], r[1], r[2]); err == nil && resp.StatusCode < 300 {
			t.Errorf("%s %s: got %v, want a refusal", r[0], r[1], resp.Status)
		}
	}
	if len(*requests) > 0 {
		t.Errorf("got %q at the collector, want nothing", *requests)
	}
}

// TestTheServiceFollowsItsTrust learns a certificate of the collector while programs use the
// service.
func TestTheServiceFollowsItsTrust(t *testing.T) {
	at := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"targets":[]}`) }))
	t.Cleanup(at.Close)
	at.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	agent := &fakeAgent{url: at.URL, roots: x509.NewCertPool()}
	c, _ := start(t, agent, person)
	e := &collector.Endpoint{URL: at.URL}
	base, err := e.Base()
	if err != nil {
		t.Fatal(err)
	}
	e.Via = c.Via(base)
	ask := func(trusted bool) {
		t.Helper()
		if _, err := e.Targets(t.Context(), ""); (err == nil) != trusted {
			t.Errorf("got %v, want success: %v", err, trusted)
		}
	}
	ask(false)
	known := x509.NewCertPool()
	known.AddCert(at.Certificate())
	agent.roots = known
	ask(true)
	ask(true)
	agent.roots = x509.NewCertPool()
	ask(false)
}

func TestALongResponseIsNotCutOff(t *testing.T) {
	length := maxProxiedBytes
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", length))
	}))
	t.Cleanup(at.Close)
	c, _ := start(t, &fakeAgent{url: at.URL}, person)
	e := &collector.Endpoint{URL: at.URL}
	base, err := e.Base()
	if err != nil {
		t.Fatal(err)
	}
	e.Via = c.Via(base)
	for _, fits := range []bool{true, false} {
		resp, err := e.Client().Get(at.URL + "/api/v1/ice")
		if err == nil {
			b, readErr := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if readErr != nil || len(b) != length {
				t.Errorf("got %d bytes, %v, want %d", len(b), readErr, length)
			}
		}
		if (err == nil) != fits {
			t.Errorf("%d bytes: got %v, want success: %v", length, err, fits)
		}
		length++
	}
}

// TestAServiceThatDiesInTheMiddle closes the connection in the middle of a response.
func TestAServiceThatDiesInTheMiddle(t *testing.T) {
	address := filepath.Join(t.TempDir(), "agent.sock")
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 10))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"agent")
		_ = c.Close()
		_ = l.Close()
	}()
	c := NewClient(address)
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrNoService) || !c.Lost() {
		t.Errorf("got %v, lost %v, want %v, true", err, c.Lost(), ErrNoService)
	}
}

func TestDialedPeerIsThisAccount(t *testing.T) {
	address := filepath.Join(t.TempDir(), "agent.sock")
	l, err := listen(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	served, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = served.Close() }()
	if p, err := peerOf(served); err != nil || !p.Admin || !p.Person {
		t.Errorf("got %+v, %v, want an administrator", p, err)
	}
}

// TestALostServiceIsNotTheCollectorsFault sends a request after the service has ended.
func TestALostServiceIsNotTheCollectorsFault(t *testing.T) {
	base := &url.URL{Scheme: "https", Host: "tonprobe.example.org"}
	client := NewClient(filepath.Join(t.TempDir(), "agent.sock"))
	signaller := &media.HTTPSignaller{Base: base, Client: &http.Client{Transport: client.Via(base)}}
	if _, err := signaller.ICE(t.Context()); !errors.Is(err, media.ErrInterrupted) || !errors.Is(err, ErrNoService) {
		t.Errorf("got %v, want %v and %v", err, media.ErrInterrupted, ErrNoService)
	}
}
