package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/alert"
	"github.com/tonprobe/tonprobe/server/store"
)

// alertsAddress is the address of the page about alerts.
const alertsAddress = "/alerts"

// Alerts is the part of the collector that sends alerts.
type Alerts interface {
	// Settings returns the rules and channels; nil if there are none.
	Settings() *alert.Settings
	// Test sends a test message to a channel, with one attempt.
	Test(ctx context.Context, c alert.Channel) error
}

// alertsPage shows the rules and channels. Addresses and secrets are not shown.
type alertsPage struct {
	None     bool
	Rules    []alertRule
	Channels []alertChannel
	Tested   string // the channel of the last test message; "" for none
	Fault    string // why it was not accepted; "" if it was
}

type alertRule struct{ Name, When, Hold, Before, To string }

type alertChannel struct{ Name, Kind string }

func (s *site) alertsPage(v view) alertsPage {
	if s.Alerts == nil || s.Alerts.Settings() == nil {
		return alertsPage{None: true}
	}
	var body alertsPage
	for _, r := range s.Alerts.Settings().Rules {
		one := alertRule{Name: r.Name, When: v.T("alerts."+string(r.When), "n", r.AtLeast), Hold: v.T("alerts.at_once"), Before: v.T("alerts.always"), To: strings.Join(r.To, ", ")}
		if r.Hold > 0 {
			one.Hold = v.T("alerts.after", "time", v.span(time.Duration(r.Hold)))
		}
		if r.Before > 0 {
			one.Before = v.T("alerts.near", "time", v.span(time.Duration(r.Before)))
		}
		body.Rules = append(body.Rules, one)
	}
	for _, c := range s.Alerts.Settings().Channels {
		body.Channels = append(body.Channels, alertChannel{c.Name, v.T("alerts.kind_" + c.Kind)})
	}
	return body
}

// span returns a length of time in minutes, or in seconds if it is shorter.
func (v view) span(d time.Duration) string {
	if d < 2*time.Minute {
		return v.T("alerts.seconds", "n", int(d.Seconds()))
	}
	return v.T("alerts.minutes", "n", int(d.Minutes()))
}

func (s *site) alerts(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, page{Name: "alerts", Body: s.alertsPage(s.view(r))})
	return nil
}

// testAlert sends a test message to one channel.
func (s *site) testAlert(w http.ResponseWriter, r *http.Request) error {
	body := s.alertsPage(s.view(r))
	if body.None {
		return store.ErrNotFound
	}
	for _, c := range s.Alerts.Settings().Channels {
		if c.Name != r.PostForm.Get("channel") {
			continue
		}
		body.Tested = c.Name
		status := http.StatusOK
		if err := s.Alerts.Test(r.Context(), c); err != nil {
			s.Log.WarnContext(r.Context(), "a test of the alerts was not accepted", "channel", c.Name, "err", err)
			body.Fault, status = clean(err.Error(), maxNameRunes), http.StatusBadGateway
		}
		s.show(w, r, page{Status: status, Name: "alerts", Body: body, Path: alertsAddress})
		return nil
	}
	return store.ErrNotFound
}
