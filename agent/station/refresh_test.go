package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
)

// TestRefreshOnceADay: the announcement is requested once a day, not again while it is fresh,
// and again after the clock was set by years.
func TestRefreshOnceADay(t *testing.T) {
	var asked atomic.Int32
	var status atomic.Int32
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
		fmt.Fprint(w, `{"targets":[{"name":"lk","system":"livekit","url":"https://a.example","profile":"bbb","room":{"name":"r","publish_token":"geheim","subscribe_token":"geheim"}}],"release":"signed"}`)
	}))
	defer server.Close()
	st := &Station{
		Config: config.Default(t.TempDir()), log: slog.New(slog.DiscardHandler),
		id: &identity.Identity{AgentID: "x", Enrolment: &identity.Enrolment{Server: server.URL, Token: "t"}},
	}
	now := time.Now()
	for _, c := range []struct {
		after time.Duration
		want  int32 // requests so far
	}{{0, 1}, {time.Minute, 1}, {23 * time.Hour, 1}, {25 * time.Hour, 2}, {26 * time.Hour, 2}, {-5 * 365 * 24 * time.Hour, 3}, {20 * 365 * 24 * time.Hour, 4}} {
		if err := st.RefreshTargets(t.Context(), now.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if got := asked.Load(); got != c.want || st.Release() != "signed" {
			t.Errorf("after %v: got %d requests and %q, want %d", c.after, got, st.Release(), c.want)
		}
	}
	// The program that a person uses needs the sessions of the last minutes.
	for _, c := range []struct {
		after time.Duration
		want  int32
	}{{20*365*24*time.Hour + 9*time.Minute, 4}, {20*365*24*time.Hour + 11*time.Minute, 5}} {
		if err := st.RefreshSessions(t.Context(), now.Add(c.after)); err != nil || asked.Load() != c.want {
			t.Errorf("in use, after %v: got %d requests and error %v, want %d", c.after, asked.Load(), err, c.want)
		}
	}
	if b, err := os.ReadFile(st.targetsPath()); err != nil || len(b) == 0 || string(b) != `{"targets":[{"name":"lk","system":"livekit","url":"https://a.example","profile":"bbb"}],"release":"signed"}` {
		t.Errorf("stored %s, %v, want no credentials", b, err)
	}
	status.Store(http.StatusServiceUnavailable)
	if err := st.RefreshTargets(t.Context(), now); err == nil || st.Release() != "signed" {
		t.Errorf("a failing collector: got %v and %q, want an error and the stored one", err, st.Release())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := st.RefreshTargets(ended, now); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	st.Config.NoUpload = true
	before := asked.Load()
	if err := st.RefreshTargets(t.Context(), now); err != nil || asked.Load() != before {
		t.Errorf("with no_upload: got %v and a request, want neither", err)
	}
}
