package channel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestConnectionLostDuringARetest: the check continues, and its end is reported over the
// next connection.
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
		t.Errorf("got hellos with %q and %q, want \"\" and \"a\"", first, second)
	}
}

// TestEndOfTheProgram: the collector learns at once that there will be no result.
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
			t.Errorf("got %+v, want why %s", m, wire.WhyEnded)
		}
	}
}

// TestWrongAnswers: no response leads to a busy loop, and each has its error.
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
	const sessions = `{"type":"sessions","within_s":1}`
	ctx := context.Background()
	hello := func(c *websocket.Conn) { _ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"hello"}`)) }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    error
		minWait time.Duration // of the last of four
	}{
		"login page":       {write(http.StatusOK, "<html>"), ErrInvalidResponse, time.Second},
		"no messages":      {write(http.StatusOK, `{"messages":[]}`), ErrInvalidResponse, time.Second},
		"endless messages": {write(http.StatusOK, `{"messages":[{"type":"cancel","id":"a"}]}`), ErrInvalidResponse, time.Second},
		"invalid message":  {write(http.StatusOK, `{"messages":[{"type":"retest"}]}`), ErrInvalidResponse, time.Second},
		"token revoked":    {fault(http.StatusUnauthorized, "token_invalid"), ErrEnrolAgain, enrolmentEvery},
		"blocked":          {fault(http.StatusForbidden, "participant_blocked"), ErrBlocked, blockedWait / 2},
		"older collector":  {fault(http.StatusNotFound, "not_found"), ErrUnsupported, unknownWait / 2},
		"busy":             {fault(http.StatusServiceUnavailable, "busy"), nil, time.Second},
		"no upgrade":       {fault(http.StatusUpgradeRequired, codeNoUpgrade), nil, time.Second},
		"proxy":            {write(http.StatusForbidden, "no"), ErrInvalidResponse, time.Second},
		"silent socket":    {upgraded(func(*websocket.Conn) {}), nil, time.Second},
		"drops":            {upgraded(hello), nil, time.Second},
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
		"endless news": {write(http.StatusOK, `{"messages":[`+strings.Repeat(sessions+",", 31)+sessions+`]}`), ErrFlood, unknownWait / 2},
		"flood of messages": {upgraded(func(c *websocket.Conn) {
			hello(c)
			for c.Write(ctx, websocket.MessageText, []byte(sessions)) == nil {
			}
		}), ErrFlood, unknownWait / 2},
		"flood of unknown messages": {upgraded(func(c *websocket.Conn) {
			hello(c)
			for c.Write(ctx, websocket.MessageText, []byte(`{"type":"later","id":"a"}`)) == nil {
			}
		}), ErrFlood, unknownWait / 2},
		"flood":                   {upgraded(func(c *websocket.Conn) { hello(c); _ = c.Close(wire.CloseFlood, "too many messages") }), ErrClosed, unknownWait / 2},
		"closed by the collector": {upgraded(func(c *websocket.Conn) { hello(c); _ = c.Close(wire.CloseShut, "") }), ErrBlocked, blockedWait / 2},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var mu sync.Mutex
			requests := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				if requests++; requests > 1000 {
					cancel()
				}
				mu.Unlock()
				c.handler(w, r)
			}))
			defer s.Close()
			clock := &quickClock{most: 5, end: cancel}
			log := &errorLog{}
			client := New(Config{
				Endpoint: func() (*collector.Endpoint, error) { return &collector.Endpoint{URL: s.URL, Token: "t"}, nil },
				Retests:  &RetestHandler{Log: slog.New(slog.DiscardHandler)}, Clock: clock, Random: func() float64 { return 0.9 }, Log: slog.New(log),
			})
			_ = client.Run(ctx)
			if len(clock.waits) < 4 {
				t.Fatalf("got waits %v after %d requests, want one after each attempt", clock.waits, requests)
			}
			if last := clock.waits[3]; last < c.minWait {
				t.Errorf("got waits %v, want the last one at least %v", clock.waits, c.minWait)
			}
			if requests > 4*len(clock.waits) {
				t.Errorf("got %d requests in %d attempts, want at most 4 in each", requests, len(clock.waits))
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

// TestPresenceIsReported: the collector learns from a new connection that a program was
// opened or closed, and the retest in progress continues.
func TestPresenceIsReported(t *testing.T) {
	for _, strip := range []bool{false, true} {
		f := newFakeCollector(t)
		f.strip = strip
		told := make(chan wire.ChannelMessage, 10)
		f.dialogue = func(n int, conn *websocket.Conn) {
			f.mu.Lock()
			told <- f.hellos[n]
			f.mu.Unlock()
			f.listen(conn)
		}
		f.polled = func(q url.Values) {
			told <- wire.ChannelMessage{Screen: q.Get(wire.ParamScreen) == "1", Version: q.Get(wire.ParamProcess)}
		}
		f.news = func(string) *wire.ChannelMessage { return nil }
		var mu sync.Mutex
		present, changed := false, make(chan struct{})
		clock := &quickClock{}
		f.start(&RetestHandler{
			Screen: screen(func(context.Context, Retest) (Consent, error) { return Consent{}, nil }),
			Present: func() (bool, <-chan struct{}) {
				mu.Lock()
				defer mu.Unlock()
				return present, changed
			},
		}, clock)
		processes := map[bool]string{}
		for _, want := range []bool{false, true, false} {
			got := <-told
			if got.Screen != want {
				t.Errorf("polls %v: got a screen %v, want %v", strip, got.Screen, want)
			}
			processes[want] = got.Version
			mu.Lock()
			present = !want
			close(changed)
			changed = make(chan struct{})
			mu.Unlock()
		}
		if strip && processes[true] == processes[false] {
			t.Errorf("got process %q with and without a screen, want two: the collector keeps what the first poll said", processes[true])
		}
		clock.mu.Lock()
		for _, wait := range clock.waits {
			if wait != presencePause {
				t.Errorf("polls %v: got a wait of %v, want %v", strip, wait, presencePause)
			}
		}
		clock.mu.Unlock()
	}
}

// TestEnrolmentIsNoticed: support reaches a computer soon after its enrolment, and the collector is
// not asked again with a token that it has refused.
func TestEnrolmentIsNoticed(t *testing.T) {
	f := newFakeCollector(t)
	connected := make(chan struct{})
	f.dialogue = func(_ int, conn *websocket.Conn) { close(connected); f.listen(conn) }
	refusals := 0
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refusals++
		refuse(w, http.StatusUnauthorized, "token_invalid")
	}))
	t.Cleanup(refusing.Close)
	clock, asked := &quickClock{}, 0
	c := New(Config{
		Endpoint: func() (*collector.Endpoint, error) {
			switch asked++; {
			case asked < 4:
				return nil, errors.New("not enrolled")
			case asked < 8:
				return &collector.Endpoint{URL: refusing.URL, Token: "revoked"}, nil
			}
			return &collector.Endpoint{URL: f.url, Token: "token"}, nil
		},
		Version: "1.0", Retests: &RetestHandler{Log: slog.New(slog.DiscardHandler)}, Clock: clock, Random: func() float64 { return 0.5 },
		Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	<-connected
	cancel()
	<-ended
	if refusals != 1 {
		t.Errorf("got %d requests with a refused token, want 1", refusals)
	}
	for _, wait := range clock.waits {
		if wait != enrolmentEvery {
			t.Errorf("got a wait of %v, want %v", wait, enrolmentEvery)
		}
	}
}

func TestBudget(t *testing.T) {
	var b budget
	now := time.Now()
	for n := range messageBurst {
		if err := b.take(now); err != nil {
			t.Fatalf("message %d: got %v, want nil", n, err)
		}
	}
	if err := b.take(now.Add(messageEvery - 1)); !errors.Is(err, ErrFlood) {
		t.Errorf("one more: got %v, want %v", err, ErrFlood)
	}
	if err := b.take(now.Add(messageEvery)); err != nil {
		t.Errorf("later: got %v, want nil", err)
	}
	if err := b.take(now.Add(messageEvery)); !errors.Is(err, ErrFlood) {
		t.Errorf("two later: got %v, want %v", err, ErrFlood)
	}
	if err := b.take(now.Add(-time.Hour)); !errors.Is(err, ErrFlood) {
		t.Errorf("after the clock was set back: got %v, want %v", err, ErrFlood)
	}
	if err := b.take(now.Add(-time.Hour + messageEvery)); err != nil {
		t.Errorf("later by that clock: got %v, want nil", err)
	}
}
