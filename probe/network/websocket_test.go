package network

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestWebSocket(t *testing.T) {
	const path = "/api/v1/agent/channel"
	ca := newAuthority(t, "Test CA")
	refuse := func(status int, collector bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				return
			}
			if collector {
				w.Header().Set(wire.HeaderTimeMS, "1")
			}
			w.WriteHeader(status)
		}
	}
	accept := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			return
		}
		if c, err := websocket.Accept(w, r, nil); err == nil {
			_ = c.CloseNow()
		}
	}
	hangUp := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			panic(http.ErrAbortHandler)
		}
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		plain   *bool
		secure  *bool
	}{
		"taken":                   {accept, new(true), new(true)},
		"refused in between":      {refuse(403, false), new(false), nil},
		"cut":                     {hangUp, new(false), nil},
		"collector wants a token": {refuse(401, true), nil, nil},
		"collector has none yet":  {refuse(404, true), nil, nil},
	} {
		for scheme, want := range map[string]*bool{"http": c.plain, "https": c.secure} {
			server := plain(t, c.handler)
			config := direct("http", server, nil)
			if scheme == "https" {
				server = secure(t, ca.good(t), c.handler)
				config = direct("https", server, ca)
			}
			config.WebSocketPath = path
			d, _ := run(t, config, environment(t))
			if d.Stage != stageHTTP || (d.WebSocket == nil) != (want == nil) || want != nil && *d.WebSocket != *want {
				t.Errorf("%s over %s: stage %s, websocket %v, want %v", name, scheme, d.Stage, d.WebSocket, want)
			}
		}
	}
	if d, _ := run(t, WebConfig{URL: "http://" + host, Resolver: names{}, Proxy: func(*url.URL) (*url.URL, error) { return nil, nil }, WebSocketPath: path}, environment(t)); d.WebSocket != nil {
		t.Error("judged without a server")
	}
}
