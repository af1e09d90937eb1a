// Package probetest provides the environment and the certificate of tests that run
// a probe against servers on this machine.
package probetest

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
)

// Env returns the machine's own network, clock and random source. It logs nothing.
func Env(t testing.TB) probe.Env {
	t.Helper()
	n, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	return probe.Env{
		Clock: probe.SystemClock{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Progress: func(probe.Event) {},
	}
}

// Certificate returns the certificate of package httptest for 127.0.0.1, and the
// roots that verify it.
func Certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, roots
}

// Need skips the test if a program is missing, or fails it if TONPROBE_TEST_ALL is
// set.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			Lack(t, p, err)
		}
	}
}

// Lack skips a test that lacks something on this machine, or fails it if
// TONPROBE_TEST_ALL is set.
func Lack(t testing.TB, what string, err error) {
	t.Helper()
	if os.Getenv("TONPROBE_TEST_ALL") != "" {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

// Until polls a condition for up to 30 s.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for range 600 {
		if holds() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("waited 30 s for %s", what)
}

// Value returns what p points to, for a message; nil for nil. The fmt verbs would print
// the address.
func Value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
