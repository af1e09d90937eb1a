// Package probetest provides the environment and the certificate of tests that run
// a probe against servers on this machine.
package probetest

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
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

// Main runs the tests of a package whose parallel tests spend nearly all their time waiting
// for servers. With -short, it runs up to atOnce of them at once, which may be more than
// there are processors, unless -parallel is set; without, the race detector may leave no time
// for that. It returns the exit status.
func Main(m *testing.M, atOnce int) int {
	flag.Parse()
	f := flag.Lookup("test.parallel")
	if need.Short() && f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := f.Value.Set(strconv.Itoa(atOnce)); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

// Value returns what p points to, for a message; nil for nil. The fmt verbs would print
// the address.
func Value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
