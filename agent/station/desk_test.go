package station

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/enroll"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/local"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

const testAgentID = "5f0f6a3e-7a4c-4a53-9d0e-3f1a52b4c6d7"

// newDesk returns the desk of a service with an enrolment.
func newDesk(t *testing.T, e identity.Enrolment) *Desk {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	if err := identity.Update(data, func(id *identity.Identity) error {
		id.AgentID, id.Enrolment = testAgentID, &e
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return &Desk{Config: config.Default(data), Version: "1.0.0", Log: slog.New(slog.DiscardHandler)}
}

// newCA returns a certificate that signs itself.
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

// TestEnrollingAgainKeepsTheTrust: a person with a valid code must not be able to make the
// service trust another authority, because it would for everybody.
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
			d := newDesk(t, before)
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
				t.Errorf("stored %+v with %+v", e, e.Pins)
			}
		})
	}
}
