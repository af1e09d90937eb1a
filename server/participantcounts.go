package server

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// countTimeout limits the query of a scrape.
const countTimeout = 3 * time.Second

// participantsMetric is the number of participants by their present state, as on the dashboard.
var participantsMetric = prometheus.NewDesc("tonprobe_participants", "Participants by state: ready, limited, not_ready, unknown, old, never, blocked.", []string{"state"}, nil)

// participantCounts counts the participants at each scrape. Nothing is reported if the store does
// not respond, so that an outage does not look like an empty town.
type participantCounts struct {
	store interface {
		CountStates(ctx context.Context, freshSince time.Time) (store.StateCounts, error)
	}
	now      func() time.Time
	freshFor time.Duration // 0 means 24 hours
	log      *slog.Logger
}

// Describe implements prometheus.Collector.
func (p participantCounts) Describe(c chan<- *prometheus.Desc) { c <- participantsMetric }

// Collect implements prometheus.Collector.
func (p participantCounts) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	n, err := p.store.CountStates(ctx, p.now().Add(-cmp.Or(p.freshFor, 24*time.Hour)))
	if err != nil {
		p.log.Warn("no number of participants in the metrics", "err", err)
		return
	}
	send := func(state string, n int) {
		c <- prometheus.MustNewConstMetric(participantsMetric, prometheus.GaugeValue, float64(n), state)
	}
	for _, v := range []report.Verdict{report.Ready, report.Limited, report.NotReady, report.Unknown} {
		send(string(v), n.Fresh[v])
	}
	send("old", n.Old)
	send("never", n.Never)
	send("blocked", n.Blocked)
}
