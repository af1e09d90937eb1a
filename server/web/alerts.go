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
	// Undelivered returns the last delivery of each channel where it failed.
	Undelivered() []alert.Undelivered
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

// alertChannel is a channel. Undelivered is when a message could not be delivered, nil if there was none
// since the last delivery, and Fault the reason.
type alertChannel struct {
	Name, Kind  string
	Undelivered *when
	Fault       string
}

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
		body.Channels = append(body.Channels, alertChannel{Name: c.Name, Kind: v.T("alerts.kind_" + c.Kind)})
	}
	for _, u := range s.Alerts.Undelivered() {
		for i := range body.Channels {
			if c := &body.Channels[i]; c.Name == u.Channel {
				c.Undelivered, c.Fault = v.when(u.At), clean(u.Err.Error(), maxNameRunes)
			}
		}
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

// undelivered returns the names of the channels whose last message was not delivered; "" for none.
func (s *site) undelivered() string {
	if s.Alerts == nil {
		return ""
	}
	var names []string
	for _, u := range s.Alerts.Undelivered() {
		names = append(names, u.Channel)
	}
	return strings.Join(names, ", ")
}

// testAlert sends a test message to one channel.
func (s *site) testAlert(w http.ResponseWriter, r *http.Request) error {
	if s.alertsPage(s.view(r)).None {
		return store.ErrNotFound
	}
	for _, c := range s.Alerts.Settings().Channels {
		if c.Name != r.PostForm.Get("channel") {
			continue
		}
		status, fault := http.StatusOK, ""
		if err := s.Alerts.Test(r.Context(), c); err != nil {
			s.Log.WarnContext(r.Context(), "a test of the alerts was not accepted", "channel", c.Name, "err", err)
			fault, status = clean(err.Error(), maxNameRunes), http.StatusBadGateway
		}
		body := s.alertsPage(s.view(r)) // the test may have changed what is undelivered
		body.Tested, body.Fault = c.Name, fault
		s.show(w, r, page{Status: status, Name: "alerts", Body: body, Path: alertsAddress})
		return nil
	}
	return store.ErrNotFound
}
