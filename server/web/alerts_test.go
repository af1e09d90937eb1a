package web_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/alert"
	"github.com/tonprobe/tonprobe/server/web"
)

// fakeAlerts sends nothing.
type fakeAlerts struct {
	settings    *alert.Settings
	fault       error
	tested      []string
	undelivered []alert.Undelivered
}

func (f *fakeAlerts) Undelivered() []alert.Undelivered { return f.undelivered }

func (f *fakeAlerts) Settings() *alert.Settings { return f.settings }

func (f *fakeAlerts) Test(_ context.Context, c alert.Channel) error {
	f.tested = append(f.tested, c.Name)
	return f.fault
}

func TestAlertsPage(t *testing.T) {
	f := &fakeAlerts{settings: &alert.Settings{
		Rules: []alert.Rule{
			{Name: "<b>viele</b>", When: alert.ManyRed, AtLeast: 5, Hold: alert.Duration(30 * time.Second), Before: alert.Duration(90 * time.Minute), To: []string{"Hilfe"}},
			{Name: "immer", When: alert.Collector, To: []string{"Hilfe"}},
		},
		Channels: []alert.Channel{{Name: "Hilfe", Kind: "email", Host: "mail.geheim.example:587"}, {Name: "Haken", Kind: "webhook", URL: "https://geheim.example/x"}}}}
	g := newRig(t, func(c *web.Config) { c.Alerts = f }).login()
	w := g.get("/alerts")
	g.want(w, http.StatusOK, "5 oder mehr Mitglieder", "nach 30 Sekunden", "ab 90 Minuten vor", "jederzeit", "sofort", "Probe senden", "E-Mail")
	if body := w.Body.String(); strings.Contains(body, "geheim") || strings.Contains(body, "<b>viele") {
		t.Error("the page shows an address, or a name as HTML")
	}
	g.want(g.post("/alerts/test", "channel", "Haken"), http.StatusOK, "Der Server für Haken hat die Probe angenommen. Sehen Sie nach, ob sie ankommt.")
	f.fault = errors.New("the server answers 500")
	g.want(g.post("/alerts/test", "channel", "Hilfe"), http.StatusBadGateway, "Die Probe für Hilfe wurde nicht angenommen.", "the server answers 500")
	if got := strings.Join(f.tested, " "); got != "Haken Hilfe" {
		t.Errorf("tested %q, want Haken and Hilfe", got)
	}
	g.want(g.post("/alerts/test", "channel", "x"), http.StatusNotFound)
	g.want(g.post("/alerts/test"), http.StatusNotFound)
	const notArriving = "Benachrichtigungen kommen nicht an"
	if body := g.get("/").Body.String() + g.get("/alerts").Body.String(); strings.Contains(body, notArriving) || strings.Contains(body, "Nicht zugestellt") {
		t.Error("everything was delivered, and a page says otherwise")
	}
	f.undelivered = []alert.Undelivered{{Channel: "Hilfe", At: time.Date(2026, 11, 28, 17, 5, 0, 0, time.UTC), Err: errors.New("535 5.7.8 <b>no</b>")}}
	g.want(g.get("/"), http.StatusOK, notArriving+": Hilfe.", `href="/alerts"`)
	support := g.as("Uta").get("/")
	g.want(support, http.StatusOK, notArriving+": Hilfe.")
	if strings.Contains(support.Body.String(), `href="/alerts"`) {
		t.Error("support is shown a link to a page that they may not read")
	}
	g.want(g.get("/alerts"), http.StatusOK, "Nicht zugestellt, zuletzt:", "535 5.7.8 &lt;b&gt;no&lt;/b&gt;")
	f.settings, f.undelivered = nil, nil
	g.want(g.get("/alerts"), http.StatusOK, "keine Benachrichtigungen eingerichtet")
	g.want(g.post("/alerts/test", "channel", "Hilfe"), http.StatusNotFound)
}
