package api

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/live"
)

// silentRig is an API of a channel, without a store, over a connection whose packets a test can drop.
func silentRig(t *testing.T) (*live.Agents, *API) {
	agents := live.NewAgents(live.AgentsConfig{Hub: live.NewHub(), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(agents.Close)
	a := &API{}
	start := time.Now() // the token is never due to be verified
	a.Agents, a.Now, a.Log = agents, func() time.Time { return start }, slog.New(slog.DiscardHandler)
	return agents, a
}

// pipeListener accepts one connection.
type pipeListener struct{ conns chan net.Conn }

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestASilentChannelIsNoticed: an agent that sends beats, and then none because its line was lost
// silently, no longer counts as connected well within a minute; one of an older version, which only
// pings once a minute, is given more time.
func TestASilentChannelIsNoticed(t *testing.T) {
	for _, beats := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			agents, a := silentRig(t)
			l := pipeListener{make(chan net.Conn)}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c := caller{}
				c.ID, c.ParticipantID = "agent", "participant"
				if err := a.openChannel(w, r, c); err != nil {
					t.Error(err)
				}
			})}
			go func() { _ = server.Serve(l) }()
			defer func() { close(l.conns); _ = server.Close() }()
			client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				l.conns <- theirs
				return ours, nil
			}}}
			conn, _, err := websocket.Dial(t.Context(), "http://127.0.0.1/", &websocket.DialOptions{HTTPClient: client})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			say := func(text string) {
				t.Helper()
				if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			say(`{"type":"hello","version":"1.0"}`)
			if _, _, err := conn.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				time.Sleep(wire.BeatEvery)
				if beats {
					say(wire.Beat)
				} else {
					say(`{"type":"news"}`)
				}
				synctest.Wait()
				if agents.Connected() != 1 {
					t.Fatal("not connected while it sends something")
				}
			}
			// From here on nothing arrives, and neither end is told.
			limit := silenceTime
			if beats {
				limit = beatSilence
			}
			time.Sleep(limit - time.Second)
			synctest.Wait()
			if agents.Connected() != 1 {
				t.Errorf("beats %t: not connected before the end of %v", beats, limit)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if agents.Connected() != 0 {
				t.Errorf("beats %t: connected after %v of silence", beats, limit)
			}
		})
	}
}

// flushCounter records a response and counts its flushes.
type flushCounter struct {
	*httptest.ResponseRecorder
	flushes atomic.Int32
}

func (w *flushCounter) Flush() { w.flushes.Add(1) }

// TestPollBeats: spaces precede the response, at once and then regularly, and none without the
// request for them.
func TestPollBeats(t *testing.T) {
	for query, want := range map[string]string{
		"?wait=100&beat=1": "   " + `{"messages":[]}`,
		"?wait=100":        `{"messages":[]}` + "\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			_, a := silentRig(t)
			c := caller{}
			c.ID, c.ParticipantID = "agent", "participant"
			w := &flushCounter{ResponseRecorder: httptest.NewRecorder()}
			done := make(chan error, 1)
			go func() { done <- a.poll(w, httptest.NewRequest(http.MethodGet, "/"+query, nil), c) }()
			time.Sleep(time.Second)
			synctest.Wait()
			if got, beats := w.flushes.Load() > 0, strings.Contains(query, "beat"); got != beats {
				t.Errorf("%s: got a beat at once: %t, want %t", query, got, beats)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(w.Result().Body); string(body) != want || w.Code != http.StatusOK {
				t.Errorf("%s: got %d, %q, want %q", query, w.Code, body, want)
			}
			time.Sleep(pollGrace + time.Second)
		})
	}
}
