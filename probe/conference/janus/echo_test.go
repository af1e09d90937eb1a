package janus

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
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

// TestHangUp: a gateway that ends the call by itself is at fault. One that found no path, or lost
// it, may not be.
func TestHangUp(t *testing.T) {
	for body, want := range map[string]bool{
		`{"janus":"hangup","reason":"DTLS alert"}`: true, `{"janus":"hangup","reason":"ICE failed"}`: false, `{"janus":"hangup","reason":7}`: true,
		`{"janus":"timeout"}`: true, `{"janus":"detached"}`: true, `{"janus":"media"}`: false,
	} {
		if m, err := parse([]byte(body)); err != nil || m.isHangUp() != want {
			t.Errorf("%s: got %t, error %v; want %t", body, m.isHangUp(), err, want)
		}
	}
}

// TestHangUpEndsTheStream: the fault of a call that the gateway ended is not that of the line.
func TestHangUpEndsTheStream(t *testing.T) {
	c := &call{hungUp: make(chan struct{})}
	(&session{over: hangUp{}, env: probetest.Env(t)}).follow(t.Context(), c)
	if got := c.Fill(&report.MediaVoice{}); got.Fault != codeHungUp {
		t.Errorf("got fault %q, want %s", got.Fault, codeHungUp)
	}
}

// hangUp is a transport of a gateway that ends the call.
type hangUp struct{ transport }

func (hangUp) event(context.Context, uint64) (message, error) {
	return message{Janus: "hangup", Reason: "Janus API"}, nil
}

// TestStatusOfAResponse: a response of a web server in place of a message is known by its status.
func TestStatusOfAResponse(t *testing.T) {
	for status, want := range map[int]string{http.StatusBadGateway: "502", http.StatusOK: "not_api"} {
		m, err := received(&visit.Answer{Status: status, Body: []byte("<html>")})
		if o := judge(m, err, true); o.Code != want {
			t.Errorf("%d: got %s, want %s", status, o.Code, want)
		}
	}
}
