package janus

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestTooManyEvents: a gateway that sends events without limit does not fill the memory.
func TestTooManyEvents(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
		if err != nil {
			return
		}
		for c.Write(r.Context(), websocket.MessageText, []byte(`{"janus":"media"}`)) == nil {
		}
		_ = c.CloseNow()
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	v := visit.New(visit.Config{URL: at, Direct: true}, probetest.Env(t))
	defer v.Close()
	s, o := dial(t.Context(), v)
	if s == nil {
		t.Fatal(o)
	}
	defer s.close()
	<-s.ended
	if !isNoMessage(s.err) || len(s.events) != maxEvents {
		t.Errorf("got %d events, error %v; want %d, %v", len(s.events), s.err, maxEvents, errNoMessage)
	}
}
