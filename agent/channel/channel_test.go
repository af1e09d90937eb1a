package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// fakeCollector is a collector whose behaviour a test determines.
type fakeCollector struct {
	t   *testing.T
	url string
	// strip removes the request to upgrade, as some proxies do.
	strip bool
	// dialogue is called for each WebSocket after both hellos.
	dialogue func(n int, conn *websocket.Conn)
	// news returns the response to a poll; if it is nil, the poll waits.
	news func(known string) *wire.ChannelMessage

	mu      sync.Mutex
	sockets int
	polls   int
	hellos  []wire.ChannelMessage
	arrived chan wire.ChannelMessage
}

func newFakeCollector(t *testing.T) *fakeCollector {
	f := &fakeCollector{t: t, arrived: make(chan wire.ChannelMessage, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+wire.PathChannel, f.channel)
	mux.HandleFunc("GET /"+wire.PathPoll, f.poll)
	mux.HandleFunc("POST /"+wire.PathPoll, f.take)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error":{"code":%q,"message":"no"}}`, code)
}

func (f *fakeCollector) channel(w http.ResponseWriter, r *http.Request) {
	if f.strip {
		refuse(w, http.StatusUpgradeRequired, "upgrade_missing")
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	f.mu.Lock()
	n := f.sockets
	f.sockets++
	f.mu.Unlock()
	_, b, err := conn.Read(r.Context())
	if err != nil {
		return
	}
	hello, err := wire.ParseFromAgent(b)
	if err != nil || hello.Type != wire.MessageHello {
		f.t.Errorf("the first message is %s", b)
	}
	f.mu.Lock()
	f.hellos = append(f.hellos, hello)
	f.mu.Unlock()
	f.tell(conn, wire.ChannelMessage{Type: wire.MessageHello})
	f.dialogue(n, conn)
}

func (f *fakeCollector) tell(conn *websocket.Conn, m wire.ChannelMessage) {
	b, err := json.Marshal(m)
	if err != nil {
		f.t.Error(err)
	}
	_ = conn.Write(context.Background(), websocket.MessageText, b)
}

// listen records what the agent sends, until the connection ends.
func (f *fakeCollector) listen(conn *websocket.Conn) {
	for {
		_, b, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		f.note(b)
	}
}

func (f *fakeCollector) note(b []byte) {
	m, err := wire.ParseFromAgent(b)
	if err != nil {
		f.t.Errorf("the agent sent %s: %v", b, err)
	}
	f.arrived <- m
}

func (f *fakeCollector) poll(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.polls++
	f.mu.Unlock()
	m := f.news(r.URL.Query().Get(wire.ParamKnown))
	answer := wire.PollMessages{Messages: []json.RawMessage{}}
	if m == nil {
		<-r.Context().Done()
		return
	}
	b, _ := json.Marshal(m)
	answer.Messages = append(answer.Messages, b)
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *fakeCollector) take(w http.ResponseWriter, r *http.Request) {
	var body wire.PollMessages
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		f.t.Error(err)
	}
	for _, b := range body.Messages {
		f.note(b)
	}
	w.WriteHeader(http.StatusNoContent)
}

// next returns the next message of the agent.
func (f *fakeCollector) next() wire.ChannelMessage {
	f.t.Helper()
	select {
	case m := <-f.arrived:
		return m
	case <-time.After(20 * time.Second):
		f.t.Fatal("no message of the agent")
		return wire.ChannelMessage{}
	}
}

func (f *fakeCollector) wantNext(kind wire.MessageType, id string) wire.ChannelMessage {
	f.t.Helper()
	m := f.next()
	if m.Type != kind || m.ID != id {
		f.t.Fatalf("got %+v, want %s of %q", m, kind, id)
	}
	return m
}

func request1(id string, what wire.RetestWhat, valid time.Duration) wire.ChannelMessage {
	expires := time.Now().Add(valid).UTC()
	return wire.ChannelMessage{Type: wire.MessageRetest, ID: id, What: what, By: "support", ExpiresAt: &expires}
}

// quickClock records waits instead of waiting.
type quickClock struct {
	mu    sync.Mutex
	waits []time.Duration
	most  int // the number of waits after which the program ends
	end   context.CancelFunc
}

func (c *quickClock) Now() time.Time { return time.Now() }
func (c *quickClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	if c.end != nil && len(c.waits) >= c.most {
		c.end()
	}
	return ctx.Err()
}

// network is a check without sound.
func network(_ context.Context, tell func(probe.Event)) (string, error) {
	tell(probe.Event{Probe: "nat", Kind: probe.EventStarted})
	tell(probe.Event{Probe: "nat", Kind: probe.EventLevel}) // not from a microphone
	tell(probe.Event{Probe: "nat", Kind: probe.EventDone, Result: &report.Result{Status: report.StatusOK}})
	return "report", nil
}

// start runs a client until the end of the test. The returned function ends it earlier.
func (f *fakeCollector) start(d *RetestHandler, clock probe.Clock) (stop func()) {
	d.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(f.t.Context())
	c := New(Config{
		Endpoint: func() (*collector.Endpoint, error) { return &collector.Endpoint{URL: f.url, Token: "token"}, nil },
		Version:  "1.0", Instance: "one", Process: "p", Retests: d, Clock: clock, Random: func() float64 { return 0.5 }, Log: d.Log,
	})
	done := make(chan struct{})
	go func() { _ = c.Run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	f.t.Cleanup(stop)
	return stop
}

func TestNetworkRetestThatIsAllowed(t *testing.T) {
	f := newFakeCollector(t)
	f.dialogue = func(_ int, conn *websocket.Conn) {
		f.tell(conn, request1("old", wire.RetestNetwork, -time.Second))
		f.tell(conn, request1("far", wire.RetestNetwork, time.Hour))
		_ = conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"update","id":3}`))
		f.tell(conn, request1("a", wire.RetestNetwork, time.Minute))
		f.tell(conn, request1("a", wire.RetestNetwork, time.Minute)) // replayed
		f.listen(conn)
	}
	f.start(&RetestHandler{Network: network, AllowsNetwork: func() bool { return true }}, probe.SystemClock{})
	if m := f.wantNext(wire.MessageConsent, "a"); !*m.Given {
		t.Error("no consent")
	}
	if m := f.wantNext(wire.MessageProgress, "a"); m.Status != wire.StatusRunning || m.Probe != "nat" {
		t.Errorf("got %+v", m)
	}
	if m := f.wantNext(wire.MessageProgress, "a"); m.Status != "ok" {
		t.Errorf("got %+v", m)
	}
	if m := f.wantNext(wire.MessageDone, "a"); m.ReportID != "report" {
		t.Errorf("got %+v", m)
	}
	if h := f.hellos[0]; h.Instance != "one" || h.Version != "1.0" || h.Screen || f.sockets != 1 {
		t.Errorf("hello %+v", h)
	}
	select {
	case m := <-f.arrived:
		t.Errorf("a replayed or expired request was answered: %+v", m)
	case <-time.After(50 * time.Millisecond):
	}
}

// screen is a Screen that calls a function.
type screen func(ctx context.Context, r Retest) (Consent, error)

func (s screen) Ask(ctx context.Context, r Retest) (Consent, error) { return s(ctx, r) }

func TestAnswersOfAPerson(t *testing.T) {
	fails := func(err error) screen {
		return func(context.Context, Retest) (Consent, error) { return Consent{}, err }
	}
	full := func(_ context.Context, tell func(probe.Event)) (string, error) {
		for range 3 {
			tell(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventLevel, Level: probe.Level{RMSDBFS: -31.44, PeakDBFS: -400, Speech: true}})
		}
		return "report", nil
	}
	given := func(run Runner) screen {
		return func(_ context.Context, r Retest) (Consent, error) {
			if r.By != "support" || time.Until(r.Ends) > time.Minute {
				t.Errorf("asked %+v", r)
			}
			return Consent{Given: true, Run: run}, nil
		}
	}
	never := func(ctx context.Context, _ Retest) (Consent, error) { <-ctx.Done(); return Consent{}, ctx.Err() }
	allowed := func() bool { return true }
	for name, c := range map[string]struct {
		handler *RetestHandler
		what    wire.RetestWhat
		valid   time.Duration
		want    string // message types, and the reason of a refusal
	}{
		"yes":                         {&RetestHandler{Screen: given(full)}, wire.RetestFull, time.Minute, "consent true level done"},
		"no":                          {&RetestHandler{Screen: screen(func(context.Context, Retest) (Consent, error) { return Consent{}, nil })}, wire.RetestFull, time.Minute, "consent false"},
		"nobody":                      {&RetestHandler{Network: network, AllowsNetwork: allowed}, wire.RetestFull, time.Minute, "refused no_person"},
		"not allowed for good":        {&RetestHandler{Network: network, AllowsNetwork: func() bool { return false }}, wire.RetestNetwork, time.Minute, "refused no_person"},
		"nobody signed in":            {&RetestHandler{Screen: fails(ErrNoPerson)}, wire.RetestFull, time.Minute, "refused no_person"},
		"busy":                        {&RetestHandler{Screen: fails(ErrBusy)}, wire.RetestFull, time.Minute, "refused busy"},
		"quit":                        {&RetestHandler{Screen: fails(ErrEnded)}, wire.RetestFull, time.Minute, "refused ended"},
		"broken":                      {&RetestHandler{Screen: fails(errors.New("x"))}, wire.RetestFull, time.Minute, "refused failed"},
		"no answer":                   {&RetestHandler{Screen: screen(never)}, wire.RetestFull, time.Second, "refused no_answer"},
		"network by the screen":       {&RetestHandler{Screen: given(nil), Network: network}, wire.RetestNetwork, time.Minute, "consent true progress progress done"},
		"microphone without a screen": {&RetestHandler{Screen: given(nil), Network: network}, wire.RetestFull, time.Minute, "refused failed"},
		"unknown":                     {&RetestHandler{Screen: given(full)}, "dance", time.Minute, "refused unsupported"},
		"panic":                       {&RetestHandler{Screen: given(func(context.Context, func(probe.Event)) (string, error) { panic("x") })}, wire.RetestFull, time.Minute, "consent true refused failed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeCollector(t)
			f.dialogue = func(_ int, conn *websocket.Conn) {
				f.tell(conn, request1("a", c.what, c.valid))
				f.listen(conn)
			}
			f.start(c.handler, probe.SystemClock{})
			got := ""
			for got != c.want {
				m := f.next()
				got = strings.TrimSpace(got + " " + string(m.Type))
				if m.Given != nil {
					got += fmt.Sprint(" ", *m.Given)
				}
				if m.Why != "" {
					got += " " + m.Why
				}
				if m.RMSDBFS != nil && (*m.RMSDBFS != -31.4 || *m.PeakDBFS != -120) {
					t.Errorf("level %v %v", *m.RMSDBFS, *m.PeakDBFS)
				}
				if !strings.HasPrefix(c.want, got) {
					t.Fatalf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

func TestOneRetestAtATimeAndCancel(t *testing.T) {
	f := newFakeCollector(t)
	asked := make(chan string, 3)
	f.dialogue = func(_ int, conn *websocket.Conn) {
		f.tell(conn, request1("a", wire.RetestFull, time.Minute))
		<-asked
		f.tell(conn, request1("b", wire.RetestFull, time.Minute))
		f.tell(conn, wire.ChannelMessage{Type: wire.MessageCancel, ID: "wrong"})
		f.tell(conn, wire.ChannelMessage{Type: wire.MessageCancel, ID: "a"})
		f.listen(conn)
	}
	withdrawn := make(chan struct{})
	f.start(&RetestHandler{Screen: screen(func(ctx context.Context, r Retest) (Consent, error) {
		asked <- r.ID
		<-ctx.Done()
		close(withdrawn)
		return Consent{}, ctx.Err()
	})}, probe.SystemClock{})
	if m := f.wantNext(wire.MessageRefused, "b"); m.Why != wire.WhyBusy {
		t.Errorf("got %+v", m)
	}
	<-withdrawn
}

// TestRequestAfterAWithdrawnOne: the check of the withdrawn one may end later.
func TestRequestAfterAWithdrawnOne(t *testing.T) {
	f := newFakeCollector(t)
	asked, release := make(chan struct{}), make(chan struct{})
	end := sync.OnceFunc(func() { close(release) })
	f.dialogue = func(_ int, conn *websocket.Conn) {
		f.tell(conn, request1("a", wire.RetestFull, time.Minute))
		<-asked
		f.tell(conn, wire.ChannelMessage{Type: wire.MessageCancel, ID: "a"})
		f.tell(conn, request1("b", wire.RetestFull, time.Minute))
		f.tell(conn, request1("c", wire.RetestFull, time.Minute)) // b is not withdrawn
		f.listen(conn)
	}
	f.start(&RetestHandler{Screen: screen(func(ctx context.Context, r Retest) (Consent, error) {
		if r.ID == "b" {
			return Consent{}, nil
		}
		close(asked)
		<-ctx.Done()
		<-release
		return Consent{}, ctx.Err()
	})}, probe.SystemClock{})
	t.Cleanup(end) // before that of start
	if m := f.wantNext(wire.MessageRefused, "c"); m.Why != wire.WhyBusy {
		t.Errorf("got %+v", m)
	}
	end()
	if m := f.wantNext(wire.MessageConsent, "b"); *m.Given {
		t.Errorf("got %+v", m)
	}
}

// TestConnectionLostDuringARetest: the check continues, and its end is told over the next
// connection.
func TestConnectionLostDuringARetest(t *testing.T) {
	f := newFakeCollector(t)
	again := make(chan struct{})
	f.dialogue = func(n int, conn *websocket.Conn) {
		if n == 0 {
			f.tell(conn, request1("a", wire.RetestNetwork, time.Minute))
			_, b, _ := conn.Read(context.Background())
			f.note(b)
			_ = conn.CloseNow()
			return
		}
		close(again)
		f.listen(conn)
	}
	f.start(&RetestHandler{AllowsNetwork: func() bool { return true }, Network: func(ctx context.Context, _ func(probe.Event)) (string, error) {
		<-again
		return "report", ctx.Err()
	}}, &quickClock{})
	f.wantNext(wire.MessageConsent, "a")
	f.wantNext(wire.MessageDone, "a")
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, second := f.hellos[0].ID, f.hellos[1].ID; first != "" || second != "a" {
		t.Errorf("said hello with %q, then %q", first, second)
	}
}

// TestEndOfTheProgram: the collector learns at once that there will be no answer.
func TestEndOfTheProgram(t *testing.T) {
	for _, strip := range []bool{false, true} {
		f := newFakeCollector(t)
		f.strip = strip
		r := request1("a", wire.RetestFull, time.Minute)
		f.dialogue = func(_ int, conn *websocket.Conn) { f.tell(conn, r); f.listen(conn) }
		f.news = func(known string) *wire.ChannelMessage {
			if known == "a" {
				return nil
			}
			return &r
		}
		asked := make(chan struct{})
		stop := f.start(&RetestHandler{Screen: screen(func(ctx context.Context, _ Retest) (Consent, error) {
			close(asked)
			<-ctx.Done()
			return Consent{}, ErrEnded
		})}, probe.SystemClock{})
		<-asked
		go stop()
		if m := f.wantNext(wire.MessageRefused, "a"); m.Why != wire.WhyEnded {
			t.Errorf("got %+v", m)
		}
	}
}

func TestPollingWhereWebSocketsAreBlocked(t *testing.T) {
	f := newFakeCollector(t)
	f.strip = true
	r := request1("a", wire.RetestNetwork, time.Minute)
	polled := make(chan string, 100)
	f.news = func(known string) *wire.ChannelMessage {
		polled <- known
		if known == "" && len(polled) == 1 {
			return &r
		}
		return nil
	}
	release := make(chan struct{})
	f.start(&RetestHandler{AllowsNetwork: func() bool { return true }, Network: func(ctx context.Context, tell func(probe.Event)) (string, error) {
		<-release
		return network(ctx, tell)
	}}, probe.SystemClock{})
	f.wantNext(wire.MessageConsent, "a")
	if first, second := <-polled, <-polled; first != "" || second != "a" {
		t.Errorf("polled with %q, then %q", first, second)
	}
	close(release)
	f.wantNext(wire.MessageProgress, "a")
	f.wantNext(wire.MessageProgress, "a")
	f.wantNext(wire.MessageDone, "a")
}

// pollingClient returns a client for a single call of pollAgain.
func pollingClient(t *testing.T, handler http.HandlerFunc) (*Client, *collector.Endpoint) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	c := New(Config{Retests: &RetestHandler{Log: slog.New(slog.DiscardHandler)}, Clock: &quickClock{}, Log: slog.New(slog.DiscardHandler)})
	c.agent = t.Context()
	c.pollUntil = time.Now().Add(time.Hour)
	return c, &collector.Endpoint{URL: s.URL, Token: "t"}
}

// TestRequestComesAgainUntilItsAnswerArrives: a quick refusal may be on its way while the next poll
// begins.
func TestRequestComesAgainUntilItsAnswerArrives(t *testing.T) {
	f := newFakeCollector(t)
	r := request1("a", wire.RetestFull, time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.news = func(string) *wire.ChannelMessage {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.polls <= maxRepeats {
			return &r
		}
		cancel()
		return nil
	}
	c, e := pollingClient(t, f.poll)
	if err := c.pollAgain(ctx, e, e.Client()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	c.Retests.work.Wait()
	if sent := c.out.take(10); len(sent) != 1 || sent[0].Why != wire.WhyNoPerson {
		t.Errorf("answers %+v", sent)
	}

	// But not for ever.
	f = newFakeCollector(t)
	f.news = func(string) *wire.ChannelMessage { return &r }
	c, e = pollingClient(t, f.poll)
	err := c.pollAgain(t.Context(), e, e.Client())
	f.mu.Lock()
	defer f.mu.Unlock()
	if !errors.Is(err, ErrInvalidResponse) || f.polls != maxRepeats+2 {
		t.Errorf("after %d polls: %v", f.polls, err)
	}
	c.Retests.work.Wait()
}

// TestWrongAnswers: no answer leads to a busy loop, and each has its error.
func TestWrongAnswers(t *testing.T) {
	write := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	fault := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code) }
	}
	upgraded := func(then func(*websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") == "" {
				refuse(w, http.StatusServiceUnavailable, "busy")
				return
			}
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			then(conn)
			_ = conn.CloseNow()
		}
	}
	ctx := context.Background()
	hello := func(c *websocket.Conn) { _ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"hello"}`)) }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
		minWait time.Duration // of the last of four
	}{
		"login page":      {write(http.StatusOK, "<html>"), ErrInvalidResponse, time.Second},
		"empty news":      {write(http.StatusOK, `{"messages":[]}`), ErrInvalidResponse, time.Second},
		"endless news":    {write(http.StatusOK, `{"messages":[{"type":"cancel","id":"a"}]}`), ErrInvalidResponse, time.Second},
		"invalid news":    {write(http.StatusOK, `{"messages":[{"type":"retest"}]}`), ErrInvalidResponse, time.Second},
		"token revoked":   {fault(http.StatusUnauthorized, "token_invalid"), ErrEnrolAgain, unknownWait / 2},
		"blocked":         {fault(http.StatusForbidden, "participant_blocked"), ErrBlocked, blockedWait / 2},
		"older collector": {fault(http.StatusNotFound, "not_found"), ErrUnsupported, unknownWait / 2},
		"busy":            {fault(http.StatusServiceUnavailable, "busy"), nil, time.Second},
		"proxy":           {write(http.StatusForbidden, "no"), ErrInvalidResponse, time.Second},
		"silent socket":   {upgraded(func(*websocket.Conn) {}), nil, time.Second},
		"garbage": {upgraded(func(c *websocket.Conn) {
			hello(c)
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":`))
			_, _, _ = c.Read(ctx)
			_, _, _ = c.Read(ctx)
		}), ErrInvalidResponse, time.Second},
		"huge": {upgraded(func(c *websocket.Conn) {
			hello(c)
			_ = c.Write(ctx, websocket.MessageText, []byte(strings.Repeat("x", 2*wire.MaxChannelBytes)))
			_, _, _ = c.Read(ctx)
			_, _, _ = c.Read(ctx)
		}), nil, time.Second},
		"flood": {upgraded(func(c *websocket.Conn) { hello(c); _ = c.Close(wire.CloseFlood, "too many messages") }), ErrClosed, unknownWait / 2},
		"shut":  {upgraded(func(c *websocket.Conn) { hello(c); _ = c.Close(wire.CloseShut, "") }), ErrBlocked, blockedWait / 2},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			requests := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				requests++
				mu.Unlock()
				c.handler(w, r)
			}))
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			clock := &quickClock{most: 5, end: cancel}
			log := &errorLog{}
			client := New(Config{
				Endpoint: func() (*collector.Endpoint, error) { return &collector.Endpoint{URL: s.URL, Token: "t"}, nil },
				Retests:  &RetestHandler{Log: slog.New(slog.DiscardHandler)}, Clock: clock, Random: func() float64 { return 0.9 }, Log: slog.New(log),
			})
			_ = client.Run(ctx)
			if last := clock.waits[3]; last < c.minWait {
				t.Errorf("waits %v", clock.waits)
			}
			if requests > 4*len(clock.waits) {
				t.Errorf("%d requests in %d attempts", requests, len(clock.waits))
			}
			if c.want != nil && !errors.Is(log.last, c.want) {
				t.Errorf("got %v, want %v", log.last, c.want)
			}
		})
	}
}

// errorLog keeps the last error of a log.
type errorLog struct {
	slog.Handler
	last error
}

func (l *errorLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *errorLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			l.last = err
		}
		return true
	})
	return nil
}

func TestOutboxKeepsWhatMatters(t *testing.T) {
	o := newOutbox()
	o.put(wire.ChannelMessage{Type: wire.MessageConsent, ID: "a"})
	for range 3 * maxWaiting {
		o.put(wire.ChannelMessage{Type: wire.MessageLevel, ID: "a"})
		o.put(wire.ChannelMessage{Type: wire.MessageProgress, ID: "a"})
	}
	o.put(wire.ChannelMessage{Type: wire.MessageDone, ID: "a"})
	list := o.take(1000)
	if len(list) > maxWaiting || list[0].Type != wire.MessageConsent || list[len(list)-1].Type != wire.MessageDone {
		t.Errorf("%d messages, %v to %v", len(list), list[0].Type, list[len(list)-1].Type)
	}
	o.restore(list[:2])
	if again := o.take(10); len(again) == 0 || again[0].Type != wire.MessageConsent {
		t.Errorf("restored %+v", again)
	}
}
