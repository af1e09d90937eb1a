package station

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/agent/recorder"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report"
)

const testAgentID = "5f0f6a3e-7a4c-4a53-9d0e-3f1a52b4c6d7"

// newLocalAgent returns the local agent of a service with an enrolment.
func newLocalAgent(t *testing.T, e identity.Enrolment) *LocalAgent {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := identity.Update(data, func(id *identity.Identity) error {
		id.AgentID, id.Enrolment = testAgentID, &e
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return &LocalAgent{Config: config.Default(data), Version: "1.0.0", Log: slog.New(slog.DiscardHandler)}
}

// newCA returns a self-signed certificate.
func newCA(t *testing.T) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return encodePEM(der)
}

func encodePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestEnrollingAgainKeepsTheTrust: a person with a valid code must not be able to make the service
// trust another authority, because the service works for all users.
func TestEnrollingAgainKeepsTheTrust(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"agent_id":%q,"token":"new","participant":"Anna"}`, testAgentID)
	}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	ca, other := encodePEM(s.Certificate().Raw), newCA(t)
	known := &trust.Pins{CA: []string{"known"}}
	for _, c := range []struct {
		name         string
		known, asked string
		admin        bool
		wantErr      error
	}{
		{name: "a person", known: ca, asked: other},
		{name: "a person, a collector with another authority", known: other, asked: ca, wantErr: enroll.ErrUntrusted},
		{name: "an administrator, a collector with another authority", known: other, asked: ca, admin: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := identity.Enrolment{Server: s.URL, Token: "old", CA: c.known, Pins: known}
			d := newLocalAgent(t, before)
			err := d.Enroll(t.Context(), local.Invitation{
				Server: s.URL, Code: "K7P3-QX9A", CA: c.asked, Pins: &trust.Pins{CA: []string{"asked"}},
			}, c.admin)
			if !errors.Is(err, c.wantErr) {
				t.Fatalf("got %v, want %v", err, c.wantErr)
			}
			id, err := identity.Load(d.Config.Data)
			if err != nil {
				t.Fatal(err)
			}
			wantToken, wantCA := "new", c.known
			if c.wantErr != nil {
				wantToken = "old"
			}
			if c.admin {
				wantCA = c.asked
			}
			e := id.Enrolment
			if e.Token != wantToken || e.CA != wantCA || reflect.DeepEqual(e.Pins, known) == c.admin {
				t.Errorf("got %+v with %+v, want token %s, CA %q, pins replaced: %v", e, e.Pins, wantToken, wantCA, c.admin)
			}
		})
	}
}

// TestSelfChecksAtTheSameTime: each opening of the spool removes the temporary files of the
// others.
func TestSelfChecksAtTheSameTime(t *testing.T) {
	d := &LocalAgent{Config: config.Default(t.TempDir()), Log: slog.New(slog.DiscardHandler)}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if err := d.tryToWrite(t.Context()); err != nil {
					t.Errorf("got %v, want no error", err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestReportThatIsNeitherSentNorKept: the program must learn that it has to keep the report.
func TestReportThatIsNeitherSentNorKept(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		want         Outcome // "" is an error
	}{
		{"blocked", `{"error":{"code":"participant_blocked","message":"x"}}`, http.StatusForbidden, ""},
		{"enrol again", `{"error":{"code":"token_invalid","message":"x"}}`, http.StatusUnauthorized, ""},
		{"failing", "x", http.StatusServiceUnavailable, ""},
		{"stored", `{"results":[{"id":"ID","status":"stored"}]}`, http.StatusAccepted, SentNotKept},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := testReport(t)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				_, _ = io.Copy(io.Discard, q.Body)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, strings.Replace(c.answer, "ID", r.ID, 1))
			}))
			t.Cleanup(s.Close)
			d := newLocalAgent(t, identity.Enrolment{Server: s.URL, Token: "secret"})
			// A file in place of the spool has the effect of a full disk.
			if err := os.WriteFile(filepath.Join(d.Config.Data, spoolFolder), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := d.Take(t.Context(), r, false)
			if Outcome(got) != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func testReport(t *testing.T) *report.Report {
	t.Helper()
	now := time.Now()
	e := report.HostEvent{At: now.Add(-time.Minute), Kind: report.EventWiFiDropped, DurationS: new(40.0)}
	r, err := incidentReport(recorder.Incident{
		ReportID: testReportID(t, now), Event: e, Crash: &report.HostCrash{Events: []report.HostEvent{e}},
		History: recorder.History([]recorder.Sample{{At: now.Add(-time.Minute), Link: "none"}}, e, 0),
	}, testAgentID, "1.0.0", diagnose.DefaultProfile, now)
	if err != nil {
		t.Fatal(err)
	}
	r.Trigger = report.TriggerCheck
	return r
}
