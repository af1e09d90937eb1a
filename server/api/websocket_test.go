package api

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const webSocketPath = "/" + wire.PathWebSocket

// dialWebSocket upgrades over a real connection, through all handlers.
func (g *rig) dialWebSocket(token string) (*websocket.Conn, *http.Response, error) {
	g.t.Helper()
	s := httptest.NewServer(g.handler)
	g.t.Cleanup(s.Close)
	return websocket.Dial(g.t.Context(), s.URL+webSocketPath, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}},
	})
}

func TestWebSocketSendsOneMessageBack(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	for _, message := range [][]byte{{}, []byte("sound check"), bytes.Repeat([]byte{0xff}, wire.MaxWebSocketBytes)} {
		conn, resp, err := g.dialWebSocket(token)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get(wire.HeaderTimeMS) == "" {
			t.Error("the response has no header of the collector")
		}
		if err := conn.Write(t.Context(), websocket.MessageBinary, message); err != nil {
			t.Fatal(err)
		}
		kind, got, err := conn.Read(t.Context())
		if err != nil || kind != websocket.MessageBinary || !bytes.Equal(got, message) {
			t.Errorf("got %[2]d of %[1]d bytes back, error %[3]v; want all of them", len(message), len(got), err)
		}
		if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("got close error %v, want a normal closure", err)
		}
	}
}

func TestWebSocketTakesNoMoreThanItsLimit(t *testing.T) {
	g := newRig(t)
	conn, _, err := g.dialWebSocket(g.enrolled("A").Token)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Write(t.Context(), websocket.MessageText, bytes.Repeat([]byte("x"), wire.MaxWebSocketBytes+1))
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("a message beyond the limit: got error %v, want %d", err, websocket.StatusMessageTooBig)
	}
}

func TestWebSocketRefused(t *testing.T) {
	g := newRig(t)
	if _, resp, err := g.dialWebSocket("wrong"); err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: got error %v, want 401", err)
	}
	token := g.enrolled("A").Token
	w := g.do(ask{method: http.MethodGet, path: webSocketPath, token: token})
	wantFault(t, w, http.StatusUpgradeRequired, "upgrade_missing")
	if w.Header().Get("Upgrade") != "websocket" {
		t.Error("426 without the Upgrade header")
	}
	for name, header := range map[string]http.Header{
		"no key":      {"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"}, "Sec-Websocket-Version": {"13"}},
		"old version": {"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"8"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}},
	} {
		r := httptest.NewRequest(http.MethodGet, webSocketPath, nil)
		r.Header = header
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, r)
		t.Logf("request %s", name)
		wantFault(t, w, http.StatusBadRequest, "upgrade_invalid")
	}
	for w.Code != http.StatusTooManyRequests {
		w = g.do(ask{method: http.MethodGet, path: webSocketPath, token: token})
	}
	wantFault(t, w, http.StatusTooManyRequests, "rate_limited")
}

// TestWebSocketEndsWithoutAMessage: a silent agent does not keep a connection open.
func TestWebSocketEndsWithoutAMessage(t *testing.T) {
	done := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			done <- err
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		defer cancel()
		done <- echoMessage(ctx, conn)
	}))
	t.Cleanup(s.Close)
	if _, _, err := websocket.Dial(t.Context(), s.URL, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("got error %v, want a deadline", err)
	}
}

// TestMeasureToken admits a program without the agent's token to measurements, and to
// nothing else.
func TestMeasureToken(t *testing.T) {
	g := newRig(t)
	const token = "measure.0192-anna"
	conn, _, err := g.dialWebSocket(token)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	for path, want := range map[string]int{
		"/api/v1/load?bytes=1000": http.StatusOK, "/api/v1/ice": http.StatusUnauthorized, "/" + wire.PathTargets: http.StatusUnauthorized,
		"/" + wire.PathPoll: http.StatusUnauthorized, "/" + wire.PathChannel: http.StatusUnauthorized,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got status %s, want %d", path, resp.Status, want)
		}
	}
	if _, _, err := g.dialWebSocket("nonsense"); err == nil {
		t.Error("an arbitrary token was accepted")
	}
}
