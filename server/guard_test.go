package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/cert"
	"github.com/tonprobe/tonprobe/server/peer"
)

func TestMetricsHaveAListenerOfTheirOwn(t *testing.T) {
	r := run(t, Config{MetricsListen: "127.0.0.1:0"})
	resp, err := http.Get("http://" + r.metrics.listener.Addr().String() + MetricsPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), "tonprobe_echo_sessions 0") || !strings.Contains(string(body), "go_goroutines") {
		t.Errorf("got error %v, %s; want it to contain %q and %q", err, body, "tonprobe_echo_sessions 0", "go_goroutines")
	}
	taken := Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0", MetricsListen: r.metrics.listener.Addr().String()}
	if _, err := New(t.Context(), taken); err == nil || !strings.Contains(err.Error(), "metrics") {
		t.Errorf("an address in use: got error %v; want one with %q", err, "metrics")
	}
	taken.MetricsOptional = true
	s, err := New(t.Context(), taken)
	if err != nil {
		t.Fatalf("a default address in use: got error %v, want none", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestOnlyTheProxyIsAnswered: plain HTTP is only for the proxy.
func TestOnlyTheProxyIsAnswered(t *testing.T) {
	h := peer.Only([]netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	for from, want := range map[string]int{
		"10.1.2.3:4711": http.StatusOK, "[::ffff:10.1.2.3]:1": http.StatusOK, "127.0.0.1:1": http.StatusOK, "[::1]:1": http.StatusOK,
		"10.2.0.1:1": http.StatusForbidden, "192.0.2.1:1": http.StatusForbidden, "[2001:db8::1]:1": http.StatusForbidden, "": http.StatusForbidden,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = from
		r.Header.Set("X-Forwarded-For", "10.1.2.3")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got status %d, want %d", from, w.Code, want)
		}
	}
}

func TestHSTSOnlyOverTLS(t *testing.T) {
	secure := run(t, Config{})
	if resp, _ := secure.get(t, "/login"); resp.Header.Get("Strict-Transport-Security") == "" {
		t.Error("got no header over TLS")
	}
	plain := run(t, Config{BehindProxy: loopback})
	if resp, _ := plain.get(t, "/login"); resp.Header.Get("Strict-Transport-Security") != "" {
		t.Error("got the header over plain HTTP")
	}
}

// TestNoCBC offers the cipher suites of old clients, in TLS 1.2.
func TestNoCBC(t *testing.T) {
	r := run(t, Config{})
	dial := func(suites ...uint16) error {
		c, err := tls.Dial("tcp", r.listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: suites})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if err := dial(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256); err != nil {
		t.Errorf("GCM: got error %v, want none", err)
	}
	for _, suite := range []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256} {
		if err := dial(suite); err == nil {
			t.Errorf("%s was agreed", tls.CipherSuiteName(suite))
		}
	}
	for _, suite := range cert.TLS(nil).CipherSuites {
		if strings.Contains(tls.CipherSuiteName(suite), "CBC") {
			t.Errorf("got %s; want it without %q", tls.CipherSuiteName(suite), "CBC")
		}
	}
}

// TestMalformedForms: an invalid form is answered with 400.
func TestMalformedForms(t *testing.T) {
	r := run(t, Config{BehindProxy: loopback})
	for _, body := range []string{"name=%zz", "a;b=%", "%", strings.Repeat("%", 1000)} {
		c, err := net.Dial("tcp", r.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(c, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%.20q: got status %s, want 400", body, resp.Status)
		}
		_ = resp.Body.Close()
		_ = c.Close()
	}
}
