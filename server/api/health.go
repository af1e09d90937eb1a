package api

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/reflector"
	"github.com/tonprobe/tonprobe/server/store"
)

// readyTimeout is the timeout of the readiness checks.
const readyTimeout = 3 * time.Second

//go:embed openapi.yaml
var openAPI []byte

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml") // RFC 9512
	_, _ = w.Write(openAPI)
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready returns which parts do not work and logs why. Requests from this machine and from private
// networks also receive the problems of the reflector's addresses.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var mu sync.Mutex
	parts, problems := map[string]string{}, map[string][]string{}
	status, word := http.StatusOK, "ok"
	inside := isPrivate(r)
	var wg sync.WaitGroup
	for name, check := range a.Ready {
		wg.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			parts[name] = "ok"
			if err != nil {
				a.Log.WarnContext(ctx, "not ready", "part", name, "err", err)
				parts[name], status, word = "failed", http.StatusServiceUnavailable, "failed"
				// Other errors may contain paths. Private addresses must not be revealed to the
				// internet.
				if e, ok := errors.AsType[*reflector.NotReadyError](err); ok && inside {
					problems[name] = e.Problems
				}
			}
		})
	}
	wg.Wait()
	answer := map[string]any{"status": word, "parts": parts}
	if len(problems) > 0 {
		answer["problems"] = problems
	}
	writeJSON(w, status, answer)
}

// isPrivate reports whether a request comes from this machine or a private network.
func isPrivate(r *http.Request) bool {
	from := peer.Addr(r)
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && local.AddrPort().Addr().Unmap() == from {
		return true // this machine, by its public address
	}
	return from.IsLoopback() || from.IsPrivate()
}

type counters struct {
	enrolments *prometheus.CounterVec
	reports    *prometheus.CounterVec
}

func newCounters(registry prometheus.Registerer) counters {
	c := counters{
		enrolments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tonprobe_enrolments_total", Help: "Enrolments by result: enrolled, refused, rate_limited."}, []string{"result"}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tonprobe_reports_total", Help: "Reports by result: stored, duplicate, rejected."}, []string{"status"}),
	}
	// They exist from the start, so that the first one is an increase.
	for _, result := range []string{"enrolled", "refused", "rate_limited"} {
		c.enrolments.WithLabelValues(result)
	}
	for _, status := range []string{string(store.Stored), string(store.Duplicate), statusRejected} {
		c.reports.WithLabelValues(status)
	}
	registry.MustRegister(c.enrolments, c.reports)
	return c
}
