package collector

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// dated returns a server whose certificate is valid from one time to another, and
// whose clock is at.
func dated(t *testing.T, from, to, at time.Time) *Endpoint {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token was sent over an untrusted connection")
		}
		w.Header().Set("Date", at.UTC().Format(http.TimeFormat))
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(made)
	return &Endpoint{URL: s.URL, Token: "secret", RootCAs: roots}
}

// TestWrongClockOrOldCertificate checks that the clock is reported only if the same
// certificate is valid at the collector's time.
func TestWrongClockOrOldCertificate(t *testing.T) {
	now := time.Now()
	year := 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		from, to, at time.Duration
		clock        bool
		expired      bool
	}{
		"our clock is eight years slow":          {7 * year, 9 * year, 8 * year, true, false},
		"our clock is eight years fast":          {-9 * year, -7 * year, -8 * year, true, false},
		"our clock is two hours slow":            {time.Hour, year, 2 * time.Hour, true, false},
		"the certificate is out of date":         {-2 * year, -year, 0, false, true},
		"it is, and our clock is slightly wrong": {-2 * year, -year, 3 * time.Hour, false, true},
		"the certificate is not yet valid":       {time.Hour, year, 0, false, true},
		"valid":                                  {-year, year, 0, false, false},
	} {
		e := dated(t, now.Add(c.from), now.Add(c.to), now.Add(c.at))
		req, err := http.NewRequest(http.MethodGet, e.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := e.Client().Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if err != nil && !Untrusted(err) {
			t.Errorf("%s: got error %v, want nil or an untrusted certificate", name, err)
		}
		explained := e.Explain(t.Context(), err, func() time.Time { return now })
		wrong, ok := errors.AsType[*ClockError](explained)
		if ok != c.clock || errors.Is(explained, ErrExpired) != c.expired {
			t.Errorf("%s: got error %v, want clock %v, expired %v", name, explained, c.clock, c.expired)
		}
		if ok && (wrong.Theirs.Sub(now.Add(c.at)).Abs() > time.Minute || !wrong.Ours.Equal(now)) {
			t.Errorf("%s: got %v; want the clock of the server %v, ours %v", name, wrong, now.Add(c.at), now)
		}
	}
}

// TestInterceptedByAnUnknownAuthority distinguishes interception from the
// certificate of a private authority without --ca, for which no pins are known yet.
func TestInterceptedByAnUnknownAuthority(t *testing.T) {
	now := time.Now()
	own, box := dated(t, now.Add(-time.Hour), now.Add(time.Hour), now), dated(t, now.Add(-time.Hour), now.Add(time.Hour), now)
	for name, c := range map[string]struct {
		pins *trust.Pins
		want bool
	}{
		"the collector is known": {&trust.Pins{Collector: "town", Chain: []string{"another"}, Confirmed: true}, true},
		"nothing is known":       {nil, false},
	} {
		e := &Endpoint{URL: box.URL, RootCAs: own.RootCAs, Pins: c.pins}
		req, err := http.NewRequest(http.MethodGet, e.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Client().Do(req)
		if got := e.Explain(t.Context(), err, time.Now); errors.Is(got, ErrIntercepted) != c.want || !Untrusted(got) {
			t.Errorf("%s: got error %v, want intercepted %v", name, got, c.want)
		}
	}
}

// TestFaultAtTheProxy checks that the proxy's own certificate and refusals are not
// attributed to the collector.
func TestFaultAtTheProxy(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(refuses.Close)
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	for name, proxy := range map[string]string{"refuses": refuses.URL, "own certificate": stranger.URL} {
		e := &Endpoint{URL: "https://collector.example.org"}
		transport := e.Transport()
		transport.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }
		req, err := http.NewRequest(http.MethodGet, e.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = transport.RoundTrip(req); !AtProxy(err) || Untrusted(err) {
			t.Errorf("%s: got error %v, want one of the proxy", name, err)
		}
	}
}
