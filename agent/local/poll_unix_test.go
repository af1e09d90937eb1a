//go:build unix

package local

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// yes is a person who consents.
type yes struct{}

func (yes) Ask(context.Context, channel.Retest) (channel.Consent, error) {
	return channel.Consent{Given: true, Run: func(context.Context, func(probe.Event)) (string, error) { return "report", nil }}, nil
}

// TestRetestThroughTheService: a program without a token answers phone support.
func TestRetestThroughTheService(t *testing.T) {
	arrived := make(chan wire.ChannelMessage, 10)
	expires := time.Now().Add(time.Minute).UTC()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+wire.PathPoll || r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s %s with %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
		}
		var body wire.PollMessages
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			for _, b := range body.Messages {
				m, err := wire.ParseFromAgent(b)
				if err != nil {
					t.Error(err)
				}
				arrived <- m
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if r.URL.Query().Get(wire.ParamScreen) != "1" || r.URL.Query().Get(wire.ParamInstance) != "" {
			t.Errorf("polls with %s", r.URL.RawQuery)
		}
		b, _ := json.Marshal(wire.ChannelMessage{Type: wire.MessageRetest, ID: "a", What: wire.RetestFull, By: "support", ExpiresAt: &expires})
		body.Messages = append(body.Messages, b)
		_ = json.NewEncoder(w).Encode(body)
	}))
	defer s.Close()
	c, _ := start(t, &fakeAgent{url: s.URL}, person)
	e := &collector.Endpoint{URL: s.URL}
	base, err := e.Base()
	if err != nil {
		t.Fatal(err)
	}
	e.Via = c.Via(base)
	ctx, cancel := context.WithCancel(t.Context())
	client := channel.New(channel.Config{
		Endpoint: func() (*collector.Endpoint, error) { return e, nil }, Version: "1.0", Process: "p",
		Retests: &channel.RetestHandler{Screen: yes{}, Log: slog.New(slog.DiscardHandler)}, Clock: probe.SystemClock{}, Random: func() float64 { return 0.1 },
		Log: slog.New(slog.DiscardHandler),
	})
	done := make(chan struct{})
	go func() { _ = client.Run(ctx); close(done) }()
	var types []string
	for len(types) < 2 {
		types = append(types, string((<-arrived).Type))
	}
	if got := strings.Join(types, " "); got != "consent done" {
		t.Errorf("got %s", got)
	}
	cancel()
	<-done
}
