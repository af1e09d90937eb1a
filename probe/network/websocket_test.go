package network

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// farAway is where the tests' servers seem to be (RFC 5737), so that somebody
// may be in between.
const farAway = "192.0.2.10"

// moved is a network on which farAway is this computer.
type moved struct{ transport.Net }

func (m moved) CreateDialer(d *net.Dialer) transport.Dialer { return movedDialer{d} }

type movedDialer struct{ *net.Dialer }

func (d movedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.Dialer.DialContext(ctx, network, strings.Replace(address, farAway, "127.0.0.1", 1))
}

// collector answers as one does: a page, and a WebSocket that sends back.
func collector(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(wire.HeaderTimeMS, "1")
	switch {
	case r.URL.Path != "/"+wire.PathWebSocket:
	case r.Header.Get("Authorization") != "Bearer t0ken":
		w.WriteHeader(http.StatusUnauthorized)
	case r.Header.Get("Upgrade") == "":
		w.WriteHeader(http.StatusUpgradeRequired)
	default:
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		kind, message, err := c.Read(r.Context())
		if err == nil {
			err = c.Write(r.Context(), kind, message)
		}
		if err == nil {
			_ = c.Close(websocket.StatusNormalClosure, "")
		}
	}
}

// onUpgrade does f in place of the collector where an upgrade is asked for.
func onUpgrade(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			f(w, r)
			return
		}
		collector(w, r)
	}
}

func stripUpgrade(w http.ResponseWriter, r *http.Request) {
	r.Header.Del("Upgrade")
	r.Header.Del("Connection")
	collector(w, r)
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func forbidden(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }

// dropFrames takes the upgrade and lets no message through.
func dropFrames(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(wire.HeaderTimeMS, "1")
	c, err := websocket.Accept(w, r, nil)
	if err == nil {
		_, _, _ = c.Reader(r.Context())
		_ = c.CloseNow()
	}
}

func TestWebSocket(t *testing.T) {
	blocked, through := new(false), new(true)
	everything := func(w http.ResponseWriter, r *http.Request) { forbidden(w, r) }
	var attempts atomic.Int32
	onlyOnce := onUpgrade(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) == 1 {
			hangUp(w, r)
		}
		collector(w, r)
	})
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		read    *bool // where somebody in between can read: no TLS, or TLS that is opened on the way
		closed  *bool // where nobody can
	}{
		"message comes back":               {collector, through, through},
		"upgrade taken out":                {onUpgrade(stripUpgrade), blocked, nil},
		"refused in between":               {onUpgrade(forbidden), blocked, nil},
		"cut twice":                        {onUpgrade(hangUp), blocked, nil},
		"messages dropped":                 {onUpgrade(dropFrames), blocked, nil},
		"cut once":                         {onlyOnce, through, nil},
		"whole server refuses":             {everything, nil, nil},
		"another server without collector": {ok, nil, nil},
		"old collector": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(wire.HeaderTimeMS, "1")
			w.WriteHeader(http.StatusNotFound)
		}, nil, nil},
		"other words come back": {onUpgrade(func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				_ = c.Write(r.Context(), websocket.MessageText, []byte("welcome"))
			}
		}), nil, nil},
		"endless headers": {onUpgrade(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 10<<20))
		}), blocked, nil},
		"wrong accept": {onUpgrade(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
			_ = conn.Close()
		}), blocked, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inspected, own := newAuthority(t, "FortiGate CA"), newAuthority(t, "Town CA")
			for way, w := range map[string]struct {
				server *httptest.Server
				ca     *authority
				at     string
				want   *bool
			}{
				"in the clear":     {plain(t, c.handler), nil, farAway, c.read},
				"on this computer": {plain(t, c.handler), nil, "127.0.0.1", c.closed},
				"encrypted":        {secure(t, own.good(t), c.handler), own, farAway, c.closed},
				"TLS opened":       {secure(t, inspected.good(t), c.handler), inspected, farAway, c.read},
			} {
				attempts.Store(0)
				config := webSocketConfig(w.server, w.ca, w.at)
				env := environment(t)
				env.Net = moved{env.Net}
				d, _ := run(t, config, env)
				if (d.WebSocket == nil) != (w.want == nil) || w.want != nil && *d.WebSocket != *w.want {
					t.Errorf("%s: stage %s, %s, want %s", way, d.Stage, said(d.WebSocket), said(w.want))
				}
			}
		})
	}
}

func said(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return map[bool]string{true: "through", false: "blocked"}[*b]
}

func webSocketConfig(s *httptest.Server, ca *authority, at string) WebConfig {
	scheme := "http"
	if ca != nil {
		scheme = "https"
	}
	c := direct(scheme, s, ca)
	c.Resolver = names{host: {at}}
	c.StepTime = time.Second
	c.WebSocketURL = c.URL + wire.PathWebSocket
	c.Token = "t0ken"
	return c
}

// TestWebSocketToACollectorThatIsDown accuses nobody, and neither does a
// journey that came nowhere.
func TestWebSocketToACollectorThatIsDown(t *testing.T) {
	config := webSocketConfig(plain(t, ok), nil, farAway)
	config.WebSocketURL = "http://" + farAway + ":" + port(closed(t)) + "/" + wire.PathWebSocket
	env := environment(t)
	env.Net = moved{env.Net}
	if d, _ := run(t, config, env); d.Stage != stageHTTP || d.WebSocket != nil {
		t.Errorf("%+v", d)
	}
	config = webSocketConfig(closed(t), nil, farAway)
	if d, _ := run(t, config, env); d.WebSocket != nil {
		t.Errorf("%+v", d)
	}
	config.WebSocketURL = "::"
	if d, _ := run(t, config, env); d.WebSocket != nil {
		t.Errorf("%+v", d)
	}
}

// TestWebSocketThroughAProxy goes through a tunnel, as RFC 6455 §4.1 wants.
func TestWebSocketThroughAProxy(t *testing.T) {
	target := plain(t, collector)
	s, seen := proxyServer(t, target.Listener.Addr().String(), 0)
	config := webSocketConfig(target, nil, farAway)
	config.Proxies = by(s.URL)
	d, _ := run(t, config, environment(t))
	if d.WebSocket == nil || !*d.WebSocket || len(*seen) != 2 || !strings.HasPrefix((*seen)[1], "CONNECT "+host) {
		t.Errorf("%s, %q", said(d.WebSocket), *seen)
	}
}
