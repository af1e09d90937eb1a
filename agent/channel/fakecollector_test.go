package channel

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	// news returns the response to a poll; if it is nil, the poll blocks.
	news func(known string) *wire.ChannelMessage
	// polled, if not nil, is called with the parameters of each poll.
	polled func(url.Values)

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
		f.t.Errorf("got %s first, want a hello", b)
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
		f.t.Errorf("got %s, %v, want a valid message", b, err)
	}
	f.arrived <- m
}

func (f *fakeCollector) poll(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.polls++
	f.mu.Unlock()
	if f.polled != nil {
		f.polled(r.URL.Query())
	}
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
	case <-time.After(time.Minute):
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
