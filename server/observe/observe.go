// Package observe logs and counts the requests of the collector, and recovers from panics of the
// handlers.
package observe

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/peer"
)

// Headers of every response.
const (
	// HeaderTime is the server's clock at the time of the response, in Unix milliseconds. Agents
	// measure the offset of their clock with it.
	HeaderTime = wire.HeaderTimeMS
	// HeaderRequestID identifies the request in the log.
	HeaderRequestID = "Tonprobe-Request-Id"
)

// Observer logs and counts requests.
type Observer struct {
	log     *slog.Logger
	now     func() time.Time
	seconds *prometheus.HistogramVec
	panics  prometheus.Counter
}

// New registers the metrics of an Observer.
func New(log *slog.Logger, now func() time.Time, registry prometheus.Registerer) *Observer {
	o := &Observer{
		log: slog.New(LogRequests(log.Handler())),
		now: now,
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tonprobe_http_request_seconds", Help: "Time until an answer was complete, by route and status.",
			Buckets: []float64{.005, .025, .1, .5, 2, 10},
		}, []string{"route", "status"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tonprobe_http_panics_total", Help: "Handlers that failed by a programming error.",
		}),
	}
	registry.MustRegister(o.seconds, o.panics)
	return o
}

type idKey struct{}

// RequestID returns the id under which the request of ctx is logged; "" without a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(idKey{}).(string)
	return id
}

// Handler observes next. next should be a mux, otherwise routes are unnamed.
func (o *Observer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.NewString()
		r = r.WithContext(context.WithValue(r.Context(), idKey{}, id))
		a := &answer{ResponseWriter: w, now: o.now}
		w.Header().Set(HeaderRequestID, id)
		w.Header().Set(wire.HeaderCollector, wire.CollectorValue)
		start := o.now()
		defer func() {
			fault := recover()
			if fault != nil && fault != http.ErrAbortHandler {
				o.panics.Inc()
				o.log.ErrorContext(r.Context(), "handler failed", "route", r.Pattern, "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
				a.fail()
			}
			o.done(r, a.status, o.now().Sub(start))
			if fault == http.ErrAbortHandler || fault != nil && a.written {
				panic(http.ErrAbortHandler) // closes the connection: an incomplete response must not look complete
			}
		}()
		next.ServeHTTP(a, r)
	})
}

func (o *Observer) done(r *http.Request, status int, took time.Duration) {
	route := r.Pattern // a nested mux sets it on this request
	if route == "" {
		route = "(none)"
	}
	if status == 0 {
		status = http.StatusOK
	}
	o.seconds.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
	level := slog.LevelDebug
	if status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	// The log contains the network only, not the address.
	o.log.Log(r.Context(), level, "request", "route", route, "status", status,
		"ms", took.Milliseconds(), "from", report.Truncate(peer.Addr(r)))
}

// answer records the status and sets the time as late as possible.
type answer struct {
	http.ResponseWriter
	now     func() time.Time
	status  int
	written bool // part of the body has been written
}

// Unwrap allows http.ResponseController to reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		if status >= http.StatusOK || status == http.StatusSwitchingProtocols { // not an interim response such as 103
			a.status = status
		}
		a.Header().Set(HeaderTime, strconv.FormatInt(a.now().UnixMilli(), 10))
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	a.written = true
	return a.ResponseWriter.Write(b)
}

// fail answers in place of a handler that panicked before it did. The client learns only that the
// fault was ours.
func (a *answer) fail() {
	if a.status != 0 {
		a.written = true
		return
	}
	a.Header().Set("Content-Type", "application/json")
	a.WriteHeader(http.StatusInternalServerError)
	_, _ = a.ResponseWriter.Write([]byte(`{"error":{"code":"internal","message":"the server failed; its log contains the reason"}}` + "\n"))
}

// KeepOpen removes the server's time limits from an event stream.
func KeepOpen(w http.ResponseWriter) error {
	c := http.NewResponseController(w)
	// An expired read deadline would end the request's context.
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("keep stream open: %w", err)
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("keep stream open: %w", err)
	}
	return nil
}
