package web

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
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
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// farAway is the apparent address of the tests' servers (RFC 5737), so that a
// middlebox may be in between.
const farAway = "192.0.2.10"

// moved is a network in which farAway is this computer.
type moved struct{ transport.Net }

func (m moved) CreateDialer(d *net.Dialer) transport.Dialer { return movedDialer{d} }

type movedDialer struct{ *net.Dialer }

func (d movedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d.Dialer.DialContext(ctx, network, strings.Replace(address, farAway, "127.0.0.1", 1))
}

// collector responds as a collector: with a page, and with a WebSocket that echoes.
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

// onUpgrade uses f instead of the collector for upgrade requests.
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

// status responds without the collector's header, as a proxy does.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// marked responds with the collector's header.
func marked(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(wire.HeaderCollector, wire.CollectorValue)
		w.WriteHeader(code)
	}
}

func forbidden(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }

// dropFrames accepts the upgrade and drops all messages.
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
		want    *bool
	}{
		"message returned":                    {collector, through},
		"upgrade removed":                     {onUpgrade(stripUpgrade), blocked},
		"refused with 403":                    {onUpgrade(status(http.StatusForbidden)), blocked},
		"refused with 426":                    {onUpgrade(status(http.StatusUpgradeRequired)), blocked},
		"refused with 502":                    {onUpgrade(status(http.StatusBadGateway)), blocked},
		"refused with a page":                 {onUpgrade(status(http.StatusOK)), blocked},
		"refused by the collector":            {onUpgrade(marked(http.StatusForbidden)), nil},
		"too many requests for the collector": {onUpgrade(marked(http.StatusTooManyRequests)), nil},
		"cut twice":                           {onUpgrade(hangUp), blocked},
		"messages dropped":                    {onUpgrade(dropFrames), blocked},
		"cut once":                            {onlyOnce, through},
		"whole server refuses":                {everything, nil},
		"another server without collector":    {ok, nil},
		"old collector": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(wire.HeaderTimeMS, "1")
			w.WriteHeader(http.StatusNotFound)
		}, nil},
		"another message returned": {onUpgrade(func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				_ = c.Write(r.Context(), websocket.MessageText, []byte("welcome"))
			}
		}), nil},
		"endless headers": {onUpgrade(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 10<<20))
		}), blocked},
		"wrong accept": {onUpgrade(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
			_ = conn.Close()
		}), blocked},
	} {
		t.Run(name, func(t *testing.T) {
			inspected, own := newAuthority(t, "FortiGate CA"), newAuthority(t, "Town CA")
			for way, w := range map[string]struct {
				server *httptest.Server
				ca     *authority
				at     string
				by     string
			}{
				"unencrypted":      {testnet.Server(t, c.handler), nil, farAway, byBetween},
				"on this computer": {testnet.Server(t, c.handler), nil, "127.0.0.1", byUnknown},
				"encrypted":        {secure(t, own.good(t), c.handler), own, farAway, byUnknown},
				"TLS opened":       {secure(t, inspected.good(t), c.handler), inspected, farAway, byBetween},
			} {
				if outcomeOf(c.want) != "blocked" {
					w.by = ""
				}
				attempts.Store(0)
				config := webSocketConfig(w.server, w.ca, w.at)
				env := probetest.Env(t)
				env.Net = moved{env.Net}
				d, _ := run(t, config, env)
				if outcomeOf(d.WebSocket) != outcomeOf(c.want) || d.WebSocketBy != w.by {
					t.Errorf("%s: got stage %s, %s by %q, want %s by %q", way, d.Stage, outcomeOf(d.WebSocket), d.WebSocketBy, outcomeOf(c.want), w.by)
				}
			}
		})
	}
}

func outcomeOf(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return map[bool]string{true: "through", false: "blocked"}[*b]
}

func webSocketConfig(s *httptest.Server, ca *authority, at string) Config {
	scheme := "http"
	if ca != nil {
		scheme = "https"
	}
	c := direct(scheme, s, ca)
	c.Resolver = testnet.Names{host: {at}}
	c.StepTime = time.Second
	c.WebSocketURL = c.URL + wire.PathWebSocket
	c.Token = func(context.Context) string { return "t0ken" }
	return c
}

// TestWebSocketToACollectorThatIsDown checks that no machine is reported as the one that
// stops WebSockets if there was no connection to the collector.
func TestWebSocketToACollectorThatIsDown(t *testing.T) {
	config := webSocketConfig(testnet.Server(t, ok), nil, farAway)
	config.WebSocketURL = "http://" + farAway + ":" + port(closed(t)) + "/" + wire.PathWebSocket
	env := probetest.Env(t)
	env.Net = moved{env.Net}
	if d, _ := run(t, config, env); d.Stage != stageHTTP || d.WebSocket != nil {
		t.Errorf("got %+v, want no result", d)
	}
	config = webSocketConfig(closed(t), nil, farAway)
	if d, _ := run(t, config, env); d.WebSocket != nil {
		t.Errorf("got %+v, want no result", d)
	}
	config.WebSocketURL = "::"
	if d, _ := run(t, config, env); d.WebSocket != nil {
		t.Errorf("got %+v, want no result", d)
	}
}

// TestWebSocketThroughAProxy checks that it uses a tunnel, as RFC 6455 §4.1
// requires.
func TestWebSocketThroughAProxy(t *testing.T) {
	target := testnet.Server(t, collector)
	s, seen := proxyServer(t, target.Listener.Addr().String(), 0)
	config := webSocketConfig(target, nil, farAway)
	config.Proxies = by(s.URL)
	d, _ := run(t, config, probetest.Env(t))
	if d.WebSocket == nil || !*d.WebSocket || len(*seen) != 2 || !strings.HasPrefix((*seen)[1], "CONNECT "+host) {
		t.Errorf("got %s, requests %q, want a WebSocket and CONNECT as the second request", outcomeOf(d.WebSocket), *seen)
	}
}

// TestWebSocketThroughAProxyWithoutTunnels: pages without TLS need no tunnel.
func TestWebSocketThroughAProxyWithoutTunnels(t *testing.T) {
	target := testnet.Server(t, collector)
	refusing := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", target.Listener.Addr().String(), ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
	})
	config := webSocketConfig(target, nil, farAway)
	config.Proxies = by(refusing.URL)
	d, _ := run(t, config, probetest.Env(t))
	if outcomeOf(d.WebSocket) != "blocked" || d.WebSocketBy != byBetween {
		t.Errorf("got stage %s, %s by %q; want %s, %q", d.Stage, outcomeOf(d.WebSocket), d.WebSocketBy, "blocked", byBetween)
	}
}

// TestWhoStopsAWebSocket: with TLS the collector's keys determine whether the
// refusing machine is between the ends or behind the collector's TLS, whatever the
// issuer is called.
func TestWhoStopsAWebSocket(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	town, box := newAuthority(t, "town"), newAuthority(t, "IT Operations Root")
	own, forged := town.good(t), box.good(t)
	leaf, err := x509.ParseCertificate(own.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pins := &trust.Pins{
		Collector: base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		Chain:     []string{wire.PinOf(leaf)}, Confirmed: true,
	}
	announces := func(w http.ResponseWriter, r *http.Request) {
		signed, err := wire.Keys{Leaf: []string{wire.PinOf(leaf)}}.Sign(key, r.Header.Get(wire.HeaderKeys))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set(wire.HeaderKeys, signed)
		collector(w, r)
	}
	trusts := &authority{pool: x509.NewCertPool()}
	trusts.pool.AddCert(town.cert)
	trusts.pool.AddCert(box.cert)
	for name, stop := range map[string]http.HandlerFunc{
		"removed": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Upgrade")
			announces(w, r)
		},
		"403":               status(http.StatusForbidden),
		"502":               status(http.StatusBadGateway),
		"connection closed": hangUp,
	} {
		for shown, want := range map[*tls.Certificate]string{&own: byServer, &forged: byBetween} {
			config := webSocketConfig(secure(t, *shown, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Upgrade") != "" {
					stop(w, r)
					return
				}
				announces(w, r)
			}), trusts, farAway)
			config.CollectorURL, config.Pins = config.URL, pins
			env := probetest.Env(t)
			env.Net = moved{env.Net}
			d, _ := run(t, config, env)
			if outcomeOf(d.WebSocket) != "blocked" || d.WebSocketBy != want {
				t.Errorf("%s: got stage %s, %s by %q, want by %q", name, d.Stage, outcomeOf(d.WebSocket), d.WebSocketBy, want)
			}
		}
	}
}
