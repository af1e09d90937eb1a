package station

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestInSession(t *testing.T) {
	data := t.TempDir()
	start := time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
	b, err := json.Marshal(wire.Targets{Targets: []wire.Target{}, Sessions: []wire.Session{{StartsAt: start}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, targetsFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	st := &Station{Config: config.Config{Data: data}, id: &identity.Identity{Enrolment: &identity.Enrolment{}}}
	for minutes, want := range map[int]bool{-90: false, -30: true, 0: true, 300: true, 400: true, 599: true, 600: false} {
		if got := st.InSession(start.Add(time.Duration(minutes) * time.Minute)); got != want {
			t.Errorf("%d min after the start: got %v, want %v", minutes, got, want)
		}
	}
	st.Config.NoUpload = true
	if st.InSession(start) {
		t.Error("offered although nothing may be sent")
	}
	st.Config.NoUpload, st.id = false, &identity.Identity{}
	if st.InSession(start) {
		t.Error("offered without an enrolment")
	}
}

// TestAReportOfADisturbance: a report is sent once, or refused. It is never kept to be sent later.
func TestAReportOfADisturbance(t *testing.T) {
	status, answer, requests := http.StatusOK, `{"at":"2026-03-04T18:00:00Z","number":1}`, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		b, err := io.ReadAll(r.Body)
		var q wire.DisturbanceRequest
		if err != nil || json.Unmarshal(b, &q) != nil || len(q.ID) != 36 || r.Header.Get("Authorization") != "Bearer t" || r.URL.Path != "/"+wire.PathDisturbances {
			t.Errorf("got %s %s, error %v; want a request with an id at /%s", r.URL.Path, b, err, wire.PathDisturbances)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	data := t.TempDir()
	st := &Station{Config: config.Config{Data: data}, log: slog.New(slog.DiscardHandler),
		id: &identity.Identity{AgentID: "x", Enrolment: &identity.Enrolment{Server: server.URL, Token: "t"}}}
	if at, err := st.ReportDisturbance(t.Context()); err != nil || at.Hour() != 18 || requests != 1 {
		t.Errorf("got %v, error %v, %d requests; want 18:00 by one request", at, err, requests)
	}
	for _, c := range []struct {
		status int
		answer string
		want   error
	}{
		{http.StatusConflict, fault(wire.CodeNoSession), ErrNoSession}, {http.StatusConflict, fault(wire.CodeRecordClosed), ErrRecordClosed},
		{http.StatusUnauthorized, fault(wire.CodeTokenInvalid), ErrNotReported}, {http.StatusNotFound, "", ErrNotReported},
		// It may be recorded.
		{http.StatusOK, "<html>", nil}, {http.StatusOK, "{}", nil}, {http.StatusBadGateway, "", nil}, {http.StatusGatewayTimeout, "", nil},
	} {
		status, answer = c.status, c.answer
		_, err := st.ReportDisturbance(t.Context())
		if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && errors.Is(err, ErrNotReported) {
			t.Errorf("%d %s: got error %v, want %v", c.status, c.answer, err, c.want)
		}
	}
	cut := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(cut); panic(http.ErrAbortHandler) }))
	defer slow.Close()
	st.id.Enrolment.Server = slow.URL
	if _, err := st.ReportDisturbance(t.Context()); err == nil || errors.Is(err, ErrNotReported) {
		t.Errorf("cut off after the request: got error %v, want one that does not tell", err)
	}
	<-cut // the request arrived
	st.id.Enrolment.Server = server.URL
	server.Close()
	if _, err := st.ReportDisturbance(t.Context()); !errors.Is(err, ErrNotReported) {
		t.Errorf("without a collector: got error %v, want %v", err, ErrNotReported)
	}
	if files, err := filepath.Glob(filepath.Join(data, spoolFolder, "*")); err != nil || len(files) > 0 {
		t.Errorf("something is kept: %q, error %v", files, err)
	}
}

func fault(code string) string { return fmt.Sprintf(`{"error":{"code":%q,"message":"x"}}`, code) }
