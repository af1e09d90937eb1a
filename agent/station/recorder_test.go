package station

import (
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestIncidentReport: the report of a lost Wi-Fi connection is valid, and contains what
// support needs.
func TestIncidentReport(t *testing.T) {
	now := time.Date(2026, 3, 2, 18, 5, 0, 0, time.UTC)
	e := report.HostEvent{At: now.Add(-2 * time.Minute), Kind: report.EventWiFiDropped, Program: "Zoom", DurationS: new(40.0)}
	i := recorder.Incident{
		ReportID: testReportID(t, now), Event: e, Crash: &report.HostCrash{Events: []report.HostEvent{e}},
		History: recorder.History([]recorder.Sample{{At: now.Add(-time.Minute), Link: "none"}}, e, 2),
	}
	r, err := incidentReport(i, "5f0f6a3e-7a4c-4a53-9d0e-3f1a52b4c6d7", "1.0.0", diagnose.DefaultProfile, now)
	if err != nil || r.Trigger != report.TriggerEvent || r.Verdict != report.Unknown || len(r.Causes) != 1 {
		t.Fatalf("got %+v, %v, want an unknown verdict of an event with one cause", r, err)
	}
	text, _ := diagnose.ExplainCause(r.Causes[0], phrase.DE)
	if text.Sentence != "Ihr Zoom ist nicht abgestürzt: Ihr WLAN war 40 Sekunden unterbrochen." {
		t.Errorf("got sentence %q, want %q", text.Sentence, "Ihr Zoom ist nicht abgestürzt: Ihr WLAN war 40 Sekunden unterbrochen.")
	}
	doc, err := r.Encode()
	if err != nil || len(doc) > 32<<10 {
		t.Errorf("got %d bytes, %v, want at most %d", len(doc), err, 32<<10)
	}
	if h := report.Find[report.HostHistory](r); h == nil || *h.Suppressed != 2 || *h.Minutes[0].AwayS != 2 {
		t.Errorf("got %+v, want 2 suppressed and 2 s away", h)
	}
}

// TestReportWithoutASpool: the service sends a report that the disk cannot store, and a failure of both is an
// error.
func TestReportWithoutASpool(t *testing.T) {
	for name, do := range map[string]func(*testing.T, config.Config) error{
		"of an event": func(t *testing.T, c config.Config) error {
			e := report.HostEvent{At: time.Now().Add(-time.Minute), Kind: report.EventClientCrashed, Program: "Zoom"}
			return sendIncident(t.Context(), c, "1.0.0", slog.New(slog.DiscardHandler), recorder.Incident{
				ReportID: testReportID(t, e.At), Event: e, Crash: &report.HostCrash{Events: []report.HostEvent{e}}, History: recorder.History(nil, e, 0),
			})
		},
		"of a check": func(t *testing.T, c config.Config) error {
			w := Work(c, "1.0.0", NewTurn(), &Conditions{}, slog.New(slog.DiscardHandler))
			s, err := w.Session()
			if err != nil {
				t.Fatal(err)
			}
			r := testReport(t)
			r.Agent.ID = s.AgentID
			return w.Store(t.Context(), r)
		},
	} {
		for _, reached := range []bool{true, false} {
			sent := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !reached {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				z, err := gzip.NewReader(r.Body)
				var in struct{ Reports []struct{ ID string } }
				if err == nil {
					err = json.NewDecoder(z).Decode(&in)
				}
				if err != nil || len(in.Reports) != 1 {
					t.Errorf("got %+v, error %v; want one report", in, err)
					return
				}
				sent++
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"results":[{"id":%q,"status":"stored"}]}`, in.Reports[0].ID)
			}))
			c := config.Default(t.TempDir())
			c.Socket = ""
			err := identity.Update(c.Data, func(id *identity.Identity) error {
				id.AgentID = testAgentID
				id.Enrolment = &identity.Enrolment{Server: server.URL, Token: "t", Participant: "A", EnrolledAt: renewedAt}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.Data, spoolFolder), nil, 0o600); err != nil { // instead of a folder
				t.Fatal(err)
			}
			if err := do(t, c); (err == nil) != reached || reached && sent != 1 {
				t.Errorf("%s, the collector answers: %v: got %d reports, error %v; want one, or an error", name, reached, sent, err)
			}
			server.Close()
		}
	}
}

// TestIncidentIsReportedOnce: a run that was killed after the report was stored does not cause a second one.
func TestIncidentIsReportedOnce(t *testing.T) {
	c := config.Default(t.TempDir())
	c.Socket = ""
	e := report.HostEvent{At: time.Now().Add(-time.Minute), Kind: report.EventClientCrashed, Program: "Zoom"}
	i := recorder.Incident{
		ReportID: testReportID(t, e.At), Event: e, Crash: &report.HostCrash{Events: []report.HostEvent{e}}, History: recorder.History(nil, e, 0),
	}
	log := slog.New(slog.DiscardHandler)
	for range 2 {
		if err := sendIncident(t.Context(), c, "1.0.0", log, i); err != nil {
			t.Fatal(err)
		}
	}
	sp, err := OpenSpool(t.Context(), c, log)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := sp.All(); err != nil || len(all) != 1 || all[0].ID != i.ReportID {
		t.Errorf("got %+v, error %v; want one report %s", all, err, i.ReportID)
	}
}

func testReportID(t *testing.T, at time.Time) string {
	t.Helper()
	id, err := report.NewID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
