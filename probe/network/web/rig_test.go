package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/report"
)

// host is the server's name in the tests. No part of it may appear in the probe's
// output.
const host = "bbb.secret-town.example"

// direct returns the configuration for a server on loopback with the name host.
func direct(scheme string, server *httptest.Server, ca *authority) Config {
	c := Config{
		URL: scheme + "://" + host + ":" + port(server) + "/", Resolver: testnet.Names{host: {"127.0.0.1"}},
		Proxies: noProxy, StepTime: 5 * time.Second, plainPort: "1",
	}
	if ca != nil {
		c.RootCAs = ca.pool
	}
	return c
}

func noProxy(context.Context, *url.URL) ([]*url.URL, error) { return []*url.URL{nil}, nil }

// by returns a proxy setting; "" is a direct connection.
func by(proxies ...string) func(context.Context, *url.URL) ([]*url.URL, error) {
	return func(context.Context, *url.URL) (all []*url.URL, err error) {
		for _, w := range proxies {
			var u *url.URL
			if w != "" {
				if u, err = url.Parse(w); err != nil {
					return nil, err
				}
			}
			all = append(all, u)
		}
		return all, nil
	}
}

func port(s *httptest.Server) string {
	_, p, _ := net.SplitHostPort(s.Listener.Addr().String())
	return p
}

func run(t *testing.T, c Config, env probe.Env) (*report.NetworkWeb, probe.Result) {
	t.Helper()
	r, err := New(c).Run(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.Note, "secret") || strings.Contains(r.Note, "127.0.0.1") {
		t.Errorf("the note %q contains a name", r.Note)
	}
	d := r.Data.(*report.NetworkWeb)
	valid(t, d)
	return d, r
}

// valid validates the data against the rules of the report.
func valid(t *testing.T, d *report.NetworkWeb) {
	t.Helper()
	now := time.Now()
	id, _ := report.NewID(now, rand.Reader)
	r := &report.Report{
		Schema: report.SchemaV1, ID: id, Case: "000-000", Agent: report.Agent{OS: "linux", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", StartedAt: now, Verdict: report.Unknown,
		Probes: []report.Result{{Name: report.ProbeNetworkWeb, Status: report.StatusOK, StartedAt: now, Data: d}},
	}
	if _, err := r.Encode(); err != nil {
		t.Errorf("%+v: invalid: %v", d, err)
	}
}

// secure is testnet.Server with TLS.
func secure(t *testing.T, cert tls.Certificate, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// silent accepts connections and never sends.
func silent(t *testing.T) *httptest.Server {
	t.Helper()
	return raw(t, func(c net.Conn) { context.AfterFunc(t.Context(), func() { _ = c.Close() }) })
}

// raw is a server below HTTP: each connection is passed to serve, concurrently.
func raw(t *testing.T, serve func(net.Conn)) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return &httptest.Server{Listener: l}
}

// closed returns a port on which nothing listens.
func closed(t *testing.T) *httptest.Server {
	t.Helper()
	s := silent(t)
	_ = s.Listener.Close()
	return s
}

// authority issues certificates for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
	// extensions are added to its certificates.
	extensions []pkix.Extension
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-9, 0, 0), NotAfter: time.Now().AddDate(9, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert: cert, key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

// sign issues a certificate for name that is valid from one time to another.
func (a *authority) sign(t *testing.T, name string, from, to time.Time) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		ExtraExtensions: a.extensions,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
}

func (a *authority) good(t *testing.T) tls.Certificate {
	return a.sign(t, host, time.Now().AddDate(0, -1, 0), time.Now().AddDate(0, 1, 0))
}
