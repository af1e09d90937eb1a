package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/reflector"
)

func registerMetrics(registry *prometheus.Registry, r *reflector.Reflector, hub *live.Hub, agents *live.Agents, common *fleet.Watch) {
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	counter := func(name, help string, value func(reflector.Stats) int64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(r.Stats())) }))
	}
	gauge("tonprobe_live_subscribers", "Open pages that wait for events.", func() float64 { return float64(hub.Subscribers()) })
	gauge("tonprobe_agents_connected", "Agents with an open channel.", func() float64 { return float64(agents.Connected()) })
	gauge("tonprobe_common_causes", "Common causes at this moment.", func() float64 { return float64(len(common.Findings())) })
	gauge("tonprobe_echo_sessions", "Echo sessions at this moment.", func() float64 { return float64(r.Stats().SessionsOpen) })
	gauge("tonprobe_turn_relays", "TURN allocations at this moment.", func() float64 { return float64(r.Stats().RelaysOpen) })
	counter("tonprobe_echo_sessions_total", "Offers answered.", func(s reflector.Stats) int64 { return s.SessionsStarted })
	counter("tonprobe_echo_refused_total", "Offers that could not be answered.", func(s reflector.Stats) int64 { return s.OffersRefused })
	counter("tonprobe_echo_busy_total", "Offers refused by a limit.", func(s reflector.Stats) int64 { return s.OffersBusy })
	counter("tonprobe_echo_packets_total", "Packets echoed.", func(s reflector.Stats) int64 { return s.PacketsEchoed })
	counter("tonprobe_echo_packets_foreign_total", "Packets that were not this program's, or too many a second.", func(s reflector.Stats) int64 { return s.PacketsForeign })
	counter("tonprobe_echo_packets_failed_total", "Echoes that the reflector's socket did not accept.", func(s reflector.Stats) int64 { return s.PacketsFailed })
	counter("tonprobe_turn_refused_total", "TURN allocations refused by a quota.", func(s reflector.Stats) int64 { return s.RelaysRefused })
	counter("tonprobe_turn_dropped_total", "Relayed packets to or from anything but the echo.", func(s reflector.Stats) int64 { return s.RelayDropped })
	counter("tonprobe_stun_answers_limited_total", "STUN and TURN requests beyond what one network may ask without proof.", func(s reflector.Stats) int64 { return s.AnswersLimited })
	counter("tonprobe_turn_credentials_wrong_total", "TURN requests with bad or expired credentials.", func(s reflector.Stats) int64 { return s.CredentialsWrong })
}

// MetricsPath is the path of the metrics, on MetricsListen only.
const MetricsPath = "/metrics"

// metricsPort is the separate listener of the metrics. They contain no names, but the
// number of participants and their activity must not be public.
type metricsPort struct {
	listener net.Listener
	http     *http.Server
}

// listenMetrics binds the address of the metrics. If it is only the default, it may be
// in use, as with two collectors on one machine.
func (s *Server) listenMetrics(ctx context.Context) error {
	c := s.config
	if c.MetricsListen == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.MetricsListen)
	switch {
	case err == nil:
	case c.MetricsOptional:
		c.Log.Warn("no metrics: their address is in use, give another with --metrics-listen", "err", err)
		return nil
	default:
		return fmt.Errorf("listen for metrics on %s: %w", c.MetricsListen, err)
	}
	s.metrics = &metricsPort{listener: l, http: &http.Server{
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug)}}
	return nil
}

// handle serves the metrics of registry. handle, serve and close may be called on nil.
func (m *metricsPort) handle(registry *prometheus.Registry) {
	if m == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+MetricsPath, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	m.http.Handler = mux
}

func (m *metricsPort) serve() {
	if m != nil {
		_ = m.http.Serve(m.listener) // ends when close is called
	}
}

func (m *metricsPort) close() error {
	if m == nil {
		return nil
	}
	err := m.http.Close()
	if closeErr := m.listener.Close(); !errors.Is(closeErr, net.ErrClosed) {
		err = errors.Join(err, closeErr)
	}
	return err
}
