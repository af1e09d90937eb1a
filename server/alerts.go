package server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server/alert"
)

// readAlerts reads the rules and channels, so that a mistake is reported at the start.
func (s *Server) readAlerts() (err error) {
	if s.config.AlertsFile == "" {
		return nil
	}
	if s.alerting, err = alert.Read(s.config.AlertsFile); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// AlertSender returns the sender of alerts.
func AlertSender(now func() time.Time) alert.Sender {
	return alert.Sender{Now: now, Random: rand.Float64, Sleep: func(ctx context.Context, d time.Duration) error {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			return nil
		}
	}}
}

// watchAlerts returns what evaluates the rules; nil if there are none.
func (s *Server) watchAlerts(registry prometheus.Registerer) *alert.Watch {
	if s.alerting == nil {
		return nil
	}
	zone := s.config.TimeZone
	if zone == nil {
		zone = time.Local
	}
	return &alert.Watch{Settings: s.alerting, Store: s.store, Common: s.common.Findings, Ready: s.ready(), Sender: AlertSender(s.config.Now),
		Zone: zone, Link: s.PublicURL(), Log: s.config.Log, Registry: registry, Leads: s.leads}
}

// alertPage is the page about alerts, for package web.
type alertPage struct {
	watch *alert.Watch // nil if there are no rules
}

// Settings returns the rules and channels; nil if there are none.
func (a alertPage) Settings() *alert.Settings {
	if a.watch == nil {
		return nil
	}
	return a.watch.Settings
}

// Undelivered returns the last delivery of each channel where it failed.
func (a alertPage) Undelivered() []alert.Undelivered {
	if a.watch == nil {
		return nil
	}
	return a.watch.Undelivered()
}

// Test sends a test to a channel, with one attempt.
func (a alertPage) Test(ctx context.Context, c alert.Channel) error {
	lang, _ := phrase.ParseLang(a.watch.Settings.Language)
	texts, err := alert.Texts(lang)
	if err != nil {
		return err
	}
	return a.watch.Once(ctx, c, alert.Test(texts, a.watch.Sender.Now(), a.watch.Link))
}
