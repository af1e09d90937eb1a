package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/server/store"
)

var (
	keepMetric = prometheus.NewDesc("tonprobe_retention_keep_seconds",
		"Retention period by class of data: reports, council_sessions, people, disturbance_records, audit_log, erased_names, expired. Classes that are kept for ever are missing.", []string{"class"}, nil)
	ranMetric = prometheus.NewDesc("tonprobe_retention_last_run_timestamp_seconds",
		"When everything too old was last deleted, by class of data; 0 for never. The same at all collectors.", []string{"class"}, nil)
	deletedMetric = prometheus.NewDesc("tonprobe_retention_last_deletion_timestamp_seconds",
		"When something was last deleted for its age, by class of data; 0 for never. The same at all collectors.", []string{"class"}, nil)
)

// retentionRuns reads at each scrape when old data was last deleted. Nothing is reported if the store does
// not respond.
type retentionRuns struct {
	store store.Retention
	keep  map[store.DataClass]time.Duration
	log   *slog.Logger
}

// Describe implements prometheus.Collector.
func (r retentionRuns) Describe(c chan<- *prometheus.Desc) {
	c <- keepMetric
	c <- ranMetric
	c <- deletedMetric
}

// Collect implements prometheus.Collector.
func (r retentionRuns) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	runs, err := r.store.RetentionRuns(ctx)
	if err != nil {
		r.log.Warn("no deletions of old data in the metrics", "err", err)
		return
	}
	last := map[store.DataClass]store.RetentionRun{}
	for _, run := range runs {
		last[run.Class] = run
	}
	for class, period := range r.keep {
		send := func(desc *prometheus.Desc, value float64) {
			c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, string(class))
		}
		send(keepMetric, period.Seconds())
		if run := last[class]; run.RanAt.IsZero() && !run.BeginsAt.IsZero() {
			continue // the period does not apply yet: nothing is overdue
		}
		send(ranMetric, unixSeconds(last[class].RanAt))
		send(deletedMetric, unixSeconds(last[class].DeletedAt))
	}
}

// unixSeconds returns a time for Prometheus; 0 for none.
func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
