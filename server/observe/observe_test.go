package observe

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func newObserver(log io.Writer) (*Observer, *prometheus.Registry) {
	registry := prometheus.NewRegistry()
	now := func() time.Time { return time.UnixMilli(1772388000123) }
	return New(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), now, registry), registry
}

func TestAnswerIsStampedLoggedAndCounted(t *testing.T) {
	var log bytes.Buffer
	o, registry := newObserver(&log)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /thing/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, RequestID(r.Context()))
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/thing/7", nil)
	r.RemoteAddr = "203.0.113.77:1"
	o.Handler(mux).ServeHTTP(w, r)
	if got := w.Header().Get(HeaderTime); got != "1772388000123" {
		t.Errorf("got time %q, want %q", got, "1772388000123")
	}
	if id := w.Header().Get(HeaderRequestID); id == "" || w.Body.String() != id || !strings.Contains(log.String(), id) {
		t.Errorf("got request id %q, in the handler %q, log: %s; want the same id in all of them", id, w.Body, &log)
	}
	if strings.Contains(log.String(), "203.0.113.77") || !strings.Contains(log.String(), "203.0.113.0/24") {
		t.Errorf("the log must contain the network and not the address: %s", &log)
	}
	if n := series(t, registry, "tonprobe_http_request_seconds"); n != 1 || !strings.Contains(log.String(), "GET /thing/{id}") {
		t.Errorf("got %d series, want one with its route; log: %s", n, &log)
	}
}

func TestPanicIsLoggedAndNotSent(t *testing.T) {
	var log bytes.Buffer
	o, registry := newObserver(&log)
	w := httptest.NewRecorder()
	o.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret") })).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got status %d, headers %s; want 500 and JSON", w.Code, w.Header())
	}
	if body := w.Body.String(); strings.Contains(body, "secret") || strings.Contains(body, ".go:") {
		t.Errorf("got response %s; want it without %q or %q", body, "secret", ".go:")
	}
	if !strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "observe_test.go") {
		t.Errorf("the panic is not in the log: %s", &log)
	}
	if n := sum(t, registry, "tonprobe_http_panics_total"); n != 1 {
		t.Errorf("got %v panics in the metric, want 1", n)
	}
}

func TestPanicInTheMiddleCutsTheConnection(t *testing.T) {
	o, _ := newObserver(io.Discard)
	s := httptest.NewServer(o.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("x")
	})))
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("the client received an incomplete response without an error")
	}
}

func TestKeepOpenReachesTheConnection(t *testing.T) {
	o, _ := newObserver(io.Discard)
	s := httptest.NewServer(o.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := KeepOpen(w); err != nil {
			t.Error(err)
		}
	})))
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

func series(t *testing.T, g prometheus.Gatherer, name string) int {
	return len(family(t, g, name).GetMetric())
}

func sum(t *testing.T, g prometheus.Gatherer, name string) (total float64) {
	for _, m := range family(t, g, name).GetMetric() {
		total += m.GetCounter().GetValue()
	}
	return total
}

func family(t *testing.T, g prometheus.Gatherer, name string) *dto.MetricFamily {
	t.Helper()
	all, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			return f
		}
	}
	return nil
}

// TestEveryLineOfARequestHasItsID: a line that a handler logs is found by the id in the response,
// also from a derived logger; one outside of a request has no id.
func TestEveryLineOfARequestHasItsID(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(LogRequests(LogRequests(slog.NewTextHandler(&text, nil))))
	o := New(log, time.Now, prometheus.NewRegistry())
	w := httptest.NewRecorder()
	o.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		log.With("part", "store").WarnContext(r.Context(), "slow")
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if want := "msg=slow part=store request=" + w.Header().Get(HeaderRequestID) + "\n"; !strings.HasSuffix(text.String(), want) {
		t.Errorf("got log %q, want it to end with %q", &text, want)
	}
	text.Reset()
	log.Warn("later")
	if strings.Contains(text.String(), "request") {
		t.Errorf("got log %q, want it without a request", &text)
	}
}
