package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"

	load "github.com/tonprobe/tonprobe/cmd/load/rig"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// instantStore stores everything at once, so that a benchmark measures the API alone.
type instantStore struct {
	Store
	agent store.Agent
}

func (s instantStore) AgentByToken(context.Context, store.Hash) (store.Agent, store.Participant, error) {
	return s.agent, store.Participant{ID: s.agent.ParticipantID}, nil
}

func (instantStore) SaveReports(_ context.Context, _ string, reports []store.NewReport) ([]store.SaveResult, error) {
	results := make([]store.SaveResult, len(reports))
	for i, r := range reports {
		results[i] = store.SaveResult{ID: r.Report.ID, Status: store.Stored}
	}
	return results, nil
}

// BenchmarkDelivery measures a delivery of one report from the request to the response, without
// the network and the database.
func BenchmarkDelivery(b *testing.B) {
	const agent = "3b241101-e2bb-4255-8caf-4136c566a962"
	kinds, err := load.Templates()
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	_, document, err := kinds[0].New(agent, now)
	if err != nil {
		b.Fatal(err)
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = z.Write(batch(document))
	_ = z.Close()
	clock := func() time.Time { now = now.Add(time.Hour); return now } // no rate limit, no quota
	a := New(Config{Store: instantStore{agent: store.Agent{ID: agent, ParticipantID: "p"}}, Live: live.NewHub(), Log: slog.New(slog.DiscardHandler),
		Now: clock, Random: rand.Reader, Registry: prometheus.NewRegistry()})
	handler := a.handle(func(w http.ResponseWriter, r *http.Request) error {
		c, err := a.identify(r)
		if err != nil {
			return err
		}
		return a.reports(w, r, c)
	})
	request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/api/v1/reports", nil)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("Authorization", "Bearer "+strings.Repeat("t", 43))
	b.ReportAllocs()
	for b.Loop() {
		r := request.Clone(b.Context())
		r.Body, r.ContentLength = http.NoBody, int64(body.Len())
		r.Body = readCloser{bytes.NewReader(body.Bytes())}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted {
			b.Fatal(w.Code, w.Body)
		}
	}
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
