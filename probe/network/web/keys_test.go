package web

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestWhoseCertificate: a chain that is not the collector's own is an interception,
// whatever its issuer is called and whether or not it is trusted. A renewed
// certificate of the collector is not.
func TestWhoseCertificate(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	town, box := newAuthority(t, "town"), newAuthority(t, "IT Operations Root")
	own, renewed, forged := town.good(t), town.good(t), box.good(t)
	pin := func(c tls.Certificate) string {
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return wire.PinOf(leaf)
	}
	pins := &trust.Pins{
		Collector: base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		Chain:     []string{pin(own)}, Confirmed: true,
	}
	// announces is a handler for a collector with the given certificate.
	announces := func(c tls.Certificate) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			signed, err := wire.Keys{Leaf: []string{pin(c)}}.Sign(key, r.Header.Get(wire.HeaderKeys))
			if err != nil {
				t.Error(err)
			}
			w.Header().Set(wire.HeaderKeys, signed)
		}
	}
	both := &authority{pool: x509.NewCertPool()}
	both.pool.AddCert(town.cert)
	both.pool.AddCert(box.cert)
	for name, c := range map[string]struct {
		shown       tls.Certificate
		answers     http.HandlerFunc
		trusts      *authority
		key, stage  string
		intercepted string
	}{
		"its own":                                  {own, announces(own), town, "own", "http", "false"},
		"its own, renewed":                         {renewed, announces(renewed), town, "own", "http", "false"},
		"an unlisted middlebox, trusted":           {forged, announces(own), both, "foreign", "http", "true"},
		"an unlisted middlebox, not trusted":       {forged, announces(own), town, "foreign", "tcp", "true"},
		"a middlebox with its own page":            {forged, ok, both, "foreign", "http", "true"},
		"a middlebox that is silent and untrusted": {forged, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, town, "foreign", "tcp", "true"},
		"renewed by an unknown authority":          {forged, announces(forged), town, "own", "tcp", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			config := direct("https", secure(t, c.shown, c.answers), c.trusts)
			config.CollectorURL, config.Pins = config.URL, pins
			d, _ := run(t, config, probetest.Env(t))
			got := ""
			if d.TLSIntercepted != nil {
				got = map[bool]string{true: "true", false: "false"}[*d.TLSIntercepted]
			}
			if d.TLSKey != c.key || d.Stage != c.stage || got != c.intercepted {
				t.Errorf("got key %q, stage %q, intercepted %q, want %+v", d.TLSKey, d.Stage, got, c)
			}
		})
	}
	// The collector is contacted in addition to another server only if that
	// server's certificate is untrusted.
	for name, c := range map[string]struct {
		target, collector tls.Certificate
		real              tls.Certificate
		key               string
		intercepted       bool
	}{
		"one unknown issuer for both": {forged, forged, own, "foreign", true},
		"its own bad certificate":     {forged, own, own, "own", false},
		"both valid":                  {own, own, own, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			config := direct("https", secure(t, c.target, ok), town)
			config.CollectorURL, config.Pins = "https://"+host+":"+port(secure(t, c.collector, announces(c.real))), pins
			d, r := run(t, config, probetest.Env(t))
			if got := d.TLSIntercepted != nil && *d.TLSIntercepted; d.TLSKey != c.key || got != c.intercepted {
				t.Errorf("got %+v, %+v; want key %q, intercepted %v", r, d, c.key, c.intercepted)
			}
		})
	}
}

// TestKnownIssuers checks who is reported to intercept, and that the collector's
// keys have priority over a name.
func TestKnownIssuers(t *testing.T) {
	for issuer, want := range map[string]string{
		"Fortinet Untrusted CA": "network", "Kaspersky Anti-Virus Personal Root Certificate": "scanner", "Stadtwerke Musterstadt": "",
	} {
		ca := newAuthority(t, issuer)
		d, _ := run(t, direct("https", secure(t, ca.good(t), ok), ca), probetest.Env(t))
		if d.TLSInspector != want || (want != "") != (d.TLSIntercepted != nil) {
			t.Errorf("%s: got %+v, want inspector %q", issuer, d, want)
		}
	}
}
