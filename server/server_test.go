package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/datadir"
	"github.com/tonprobe/tonprobe/server/live"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// running is a collector that serves until the test ends.
type running struct {
	*Server
	client *http.Client
	stop   func() error
}

func run(t *testing.T, c Config) running {
	t.Helper()
	if c.DataDir == "" {
		c.DataDir = filepath.Join(t.TempDir(), "new", "folder")
	}
	c.Listen, c.STUNListen, c.MediaListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	s, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	stopped := false
	r := running{Server: s, client: &http.Client{}, stop: func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}}
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		if err := r.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if file, _, ok := s.OwnCertificate(); ok {
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		r.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	}
	return r
}

func (r running) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	resp, err := r.client.Get(r.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestWithoutConfigurationItServesTLS(t *testing.T) {
	r := run(t, Config{})
	if !strings.HasPrefix(r.URL(), "https://127.0.0.1:") {
		t.Errorf("got URL %s; want it to begin with %q", r.URL(), "https://127.0.0.1:")
	}
	var resp *http.Response
	eventually(t, "the reflector and the store are ready", func() bool { // on a busy machine they may answer late
		var body string
		resp, body = r.get(t, "/readyz")
		return resp.StatusCode == http.StatusOK && strings.Contains(body, `"reflector":"ok"`) && strings.Contains(body, `"store":"ok"`)
	})
	if resp.ProtoMajor != 2 {
		t.Errorf("got protocol %s, want HTTP/2", resp.Proto)
	}
	if _, fingerprint, _ := r.OwnCertificate(); len(fingerprint) != 95 {
		t.Errorf("got fingerprint %q, want 95 characters", fingerprint)
	}
	if resp, body := r.get(t, MetricsPath); resp.StatusCode == http.StatusOK && strings.Contains(body, "go_goroutines") {
		t.Error("the metrics are public")
	}
	plain, err := http.Get(strings.Replace(r.URL(), "https", "http", 1) + "/healthz")
	if err == nil {
		_ = plain.Body.Close()
		if plain.StatusCode == http.StatusOK {
			t.Error("a plain HTTP request was answered")
		}
	}
}

// TestUmlautsInThePublicAddress: certificates and browsers use the name in ASCII only.
func TestUmlautsInThePublicAddress(t *testing.T) {
	r := run(t, Config{PublicURL: "Bücher.example:443/"})
	if r.PublicURL() != "https://xn--bcher-kva.example" {
		t.Errorf("got public address %s, want %s", r.PublicURL(), "https://xn--bcher-kva.example")
	}
	c, err := r.own.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Leaf.VerifyHostname("xn--bcher-kva.example"); err != nil {
		t.Error(err)
	}
}

func TestBehindAProxyItServesPlainHTTP(t *testing.T) {
	r := run(t, Config{BehindProxy: loopback, PublicURL: "https://tonprobe.example/"})
	if !strings.HasPrefix(r.URL(), "http://127.0.0.1:") || r.PublicURL() != "https://tonprobe.example" {
		t.Errorf("got URL %s, public address %s; want it to begin with %q, %q", r.URL(), r.PublicURL(), "http://127.0.0.1:", "https://tonprobe.example")
	}
	if resp, _ := r.get(t, "/healthz"); resp.StatusCode != http.StatusOK {
		t.Errorf("got status %d, want %d", resp.StatusCode, http.StatusOK)
	}
	if _, _, ok := r.OwnCertificate(); ok {
		t.Error("a certificate was created, but is not used")
	}
}

func TestFirstPasswordIsPrintedOnce(t *testing.T) {
	dir := t.TempDir()
	var told []string
	start := func() running {
		return run(t, Config{DataDir: dir, BehindProxy: loopback, FirstPassword: func(name, password string) { told = append(told, name, password) }})
	}
	r := start()
	if len(told) != 2 || told[0] != FirstUser {
		t.Fatalf("got passwords %v; want 2 entries, [0] %v", told, FirstUser)
	}
	if _, err := r.auth.Login(t.Context(), auth.Attempt{From: netip.MustParseAddr("192.0.2.1")}, FirstUser, told[1]); err != nil {
		t.Errorf("the printed password is not accepted: %v", err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	start()
	if len(told) != 2 {
		t.Errorf("the password was printed again at the second start: %v", told)
	}
}

func TestParticipantEnrolsAndSupportSignsIn(t *testing.T) {
	r := run(t, Config{})
	p, code, expires, err := r.AddParticipant(t.Context(), "Anna", "")
	if err != nil || time.Until(expires) < 13*24*time.Hour {
		t.Fatalf("got error %v, expiry %v; want at least 13 days from now", err, expires)
	}
	body, err := json.Marshal(map[string]string{"code": code})
	if err != nil {
		t.Fatal(err)
	}
	events := r.live.Subscribe(t.Context())
	resp, err := r.client.Post(r.URL()+"/api/v1/enroll", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if e := <-events; resp.StatusCode != http.StatusCreated || e.Kind != live.ParticipantEnrolled || e.ParticipantID != p.ID {
		t.Errorf("got status %s, event %+v; want 201 and the enrolment of %s", resp.Status, e, p.ID)
	}
	link, err := r.OneTimeLogin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, r.URL()) || u.Path != auth.OneTimeLoginPath {
		t.Fatalf("got link %s, error %v; want one that begins with %s%s", link, err, r.URL(), auth.OneTimeLoginPath)
	}
	if _, err := r.auth.LoginOnce(t.Context(), auth.Attempt{From: netip.MustParseAddr("192.0.2.1")}, u.Query().Get(auth.OneTimeLoginParam)); err != nil {
		t.Errorf("signing in with the link: %v", err)
	}
}

func TestPagesOfOtherSitesCannotPost(t *testing.T) {
	r := run(t, Config{BehindProxy: loopback})
	for _, path := range []string{"/login", "/participants/x/reports/y/case"} {
		q, err := http.NewRequest(http.MethodPost, r.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := r.client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got status %s, want 403", path, resp.Status)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = New(t.Context(), Config{DataDir: t.TempDir(), Listen: l.Addr().String(), STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got error %v, want one with %q", err, l.Addr().String())
	}
}

// TestOneCollectorForADirectory: two would interfere with each other.
func TestOneCollectorForADirectory(t *testing.T) {
	dir := t.TempDir()
	first := run(t, Config{DataDir: dir})
	again := func() (*Server, error) {
		return New(t.Context(), Config{DataDir: dir, Listen: "127.0.0.1:0", STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"})
	}
	if _, err := again(); !errors.Is(err, datadir.ErrRunning) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("the second collector: got error %v; want %v with %q", err, datadir.ErrRunning, "--data")
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	s, err := again()
	if err != nil {
		t.Fatalf("after the first has ended: got error %v, want none", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestWrongConfigurations(t *testing.T) {
	for name, c := range map[string]Config{
		"no data":         {},
		"key is missing":  {DataDir: "x", TLSCert: "c.pem"},
		"cert is missing": {DataDir: "x", TLSKey: "c.key"},
		"plain HTTP":      {DataDir: "x", PublicURL: "http://tonprobe.example.org"},
		"no address":      {DataDir: "x", Listen: "8443"},
		"no STUN address": {DataDir: "x", STUNListen: "3478"},
		"port too high":   {DataDir: "x", Listen: ":65536"},
		"public port":     {DataDir: "x", PublicURL: "https://tonprobe.example:65536"},
		"with a path":     {DataDir: "x", PublicURL: "https://tonprobe.example/path"},
		"other scheme":    {DataDir: "x", PublicURL: "ftp://tonprobe.example"},
		"with a password": {DataDir: "x", PublicURL: "https://a:b@tonprobe.example"},
	} {
		if _, err := New(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrConfig)
		}
	}
}

func TestCertifiable(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost": true, "192.0.2.1": true, "2001:db8::1": true, "a-b.example": true,
		"": false, "0.0.0.0": false, "::": false, "my_machine": false, "fe80::1%eth0": false, "a.": false, ".a": false, "ä": false,
	} {
		if got := certifiable(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	elsewhere := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"own TLS":             {Config{}, ":8443"},
		"proxy here":          {Config{BehindProxy: loopback}, "127.0.0.1:8443"},
		"proxy elsewhere":     {Config{BehindProxy: elsewhere}, ":8443"},
		"proxy here with TLS": {Config{BehindProxy: loopback, TLSCert: "c", TLSKey: "k"}, ":8443"},
		"with --listen":       {Config{BehindProxy: loopback, Listen: ":80"}, ":80"},
	} {
		if got := c.config.withDefaults().Listen; got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
