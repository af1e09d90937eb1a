package livekit

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/conference/conferencetest"
	"github.com/tonprobe/tonprobe/probe/conference/livekit/signal"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// visitTo returns a visit to a server whose WebSocket speak handles, and its room.
func visitTo(t *testing.T, speak func(context.Context, *websocket.Conn)) (*visit.Visit, Room) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		speak(r.Context(), c)
		_ = c.CloseNow()
	}))
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	v := visit.New(visit.Config{URL: at, RootCAs: roots, Direct: true}, probetest.Env(t))
	t.Cleanup(v.Close)
	return v, Room{URL: at, Publish: "p", Subscribe: "s"}
}

// TestOtherPathLeaves: the test of another path that was not found leaves the room before its
// socket is closed. It is repeated because a wrong order would not always fail.
func TestOtherPathLeaves(t *testing.T) {
	var all sync.WaitGroup
	for range 20 {
		last, over := []byte(nil), make(chan struct{})
		v, room := visitTo(t, func(ctx context.Context, c *websocket.Conn) {
			defer close(over)
			_ = c.Write(ctx, websocket.MessageBinary, conferencetest.LiveKitMessage(1, "room"))
			for {
				_, b, err := c.Read(ctx)
				if err != nil {
					return
				}
				last = b
			}
		})
		all.Go(func() {
			otherPath(t.Context(), v, room, peer.TCP)
			<-over
			if !slices.Equal(last, signal.Goodbye()) {
				t.Errorf("got %.20q as the last message, want that of leaving", last)
			}
		})
	}
	all.Wait()
}

// TestMessagePanics: a message whose processing panics ends the participant, not the program.
func TestMessagePanics(t *testing.T) {
	v, room := visitTo(t, func(ctx context.Context, c *websocket.Conn) {
		_ = c.Write(ctx, websocket.MessageBinary, conferencetest.LiveKitMessage(1, "room"))
		_ = c.Write(ctx, websocket.MessageBinary, conferencetest.LiveKitMessage(2, "answer", "v=0"))
		_, _, _ = c.Read(ctx)
	})
	p, o := dial(t.Context(), v, room, signal.Publisher)
	if p == nil {
		t.Fatal(o)
	}
	defer p.leave()
	if o := p.join(t.Context()); o.Status != report.StatusOK {
		t.Fatal(o)
	}
	p.follow(t.Context(), nil) // the use of a nil connection panics
	<-p.ended
	if got, want := p.cutOff(), visit.Fault("bad_answer"); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
