package cert

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// get connects to a server with the source's certificate, like an agent with --ca.
func get(t *testing.T, s Source, caFile, name string, change func(*tls.Config)) (*tls.ConnectionState, error) {
	t.Helper()
	// Not with httptest, which would present its own certificate to clients that use an
	// address.
	listener, err := tls.Listen("tcp", "127.0.0.1:0", TLS(s))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c := &tls.Config{RootCAs: roots, ServerName: name}
	if change != nil {
		change(c)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
	resp, err := client.Get("https://" + listener.Addr().String())
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	return resp.TLS, nil
}

func TestOwnCertificateIsTrustedByItsAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	o, err := NewOwn(dir, []string{"tonprobe.example", "192.0.2.1", "2001:db8::1"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tonprobe.example", "192.0.2.1", "2001:db8::1"} {
		if _, err := get(t, o, o.AuthorityFile, name, nil); err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
		}
	}
	if _, err := get(t, o, o.AuthorityFile, "other.example", nil); err == nil {
		t.Error("another name was trusted")
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the authority's key: got mode %v, error %v; want 0600", info.Mode(), err)
	}
}

func TestOwnCertificateStaysAndIsRenewed(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	at := func(later time.Duration, names ...string) *Own {
		o, err := NewOwn(dir, names, func() time.Time { return now.Add(later) })
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	first := at(0, "a.example")
	if again := at(time.Hour, "a.example"); again.Fingerprint() != first.Fingerprint() {
		t.Error("a restart changed the certificate")
	}
	named := at(time.Hour, "a.example", "b.example")
	if named.Fingerprint() == first.Fingerprint() {
		t.Error("a new name did not change the certificate")
	}
	authority, err := os.ReadFile(first.AuthorityFile)
	if err != nil {
		t.Fatal(err)
	}
	before := named.Fingerprint()
	named.now = func() time.Time { return now.Add(serverLife - renewBefore + 2*time.Hour) } // while running
	if c, err := named.Certificate(); err != nil || c.Leaf.NotAfter.Before(named.now().Add(renewBefore)) || named.Fingerprint() == before {
		t.Errorf("the certificate was not renewed: %v", err)
	}
	if after, _ := os.ReadFile(first.AuthorityFile); !bytes.Equal(authority, after) {
		t.Error("the authority changed, and agents would reject it")
	}
	if err := os.WriteFile(filepath.Join(dir, "server.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	at(0, "a.example")
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewOwn(dir, []string{"a.example"}, time.Now); err == nil {
		t.Error("a broken authority was replaced without an error")
	}
}

// TestNameThatComesLater: an address that the machine is assigned while the collector is running is in
// the certificate of the next handshakes.
func TestNameThatComesLater(t *testing.T) {
	dir, now, names := t.TempDir(), time.Now(), []string{"a.example"}
	o, err := NewOwn(dir, names, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	o.Follow(func() []string { return names })
	first := o.Fingerprint()
	holds := func(name string) bool {
		t.Helper()
		c, err := o.Certificate()
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.VerifyHostname(name) == nil
	}
	if !holds("a.example") || o.Fingerprint() != first {
		t.Error("the same names caused another certificate")
	}
	names = []string{"a.example", "192.0.2.1"}
	now = now.Add(followEvery)
	if !holds("192.0.2.1") || !holds("a.example") {
		t.Error("the new address is missing")
	}
	second := o.Fingerprint()
	names = []string{"a.example"}
	now = now.Add(followEvery)
	if !holds("a.example") || o.Fingerprint() != second {
		t.Error("removing an address caused another certificate")
	}
	// A full disk must not prevent the handshakes of present clients.
	names = []string{"a.example", "192.0.2.9"}
	now = now.Add(followEvery)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if !holds("a.example") {
		t.Error("a handshake failed with a full disk")
	}
}

// TestRenewalThatFails: the present certificate is served until it expires, and renewed as soon as that
// is possible again.
func TestRenewalThatFails(t *testing.T) {
	dir, now := filepath.Join(t.TempDir(), "tls"), time.Now()
	o, err := NewOwn(dir, []string{"a.example"}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	first := o.Fingerprint()
	if err := os.RemoveAll(dir); err != nil { // as if the disk were full
		t.Fatal(err)
	}
	now = now.Add(serverLife - renewBefore + time.Hour)
	for range 3 { // handshakes
		if c, err := o.Certificate(); err != nil || c.Leaf.NotAfter.Before(now) || o.Fingerprint() != first {
			t.Fatalf("while it is valid: got error %v, fingerprint %s; want the present certificate %s", err, o.Fingerprint(), first)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("got %d errors in the log, want 1 within %v:\n%s", n, retryRenewal, &log)
	}
	now = now.Add(renewBefore)
	if _, err := o.Certificate(); err == nil {
		t.Error("got an expired certificate")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if c, err := o.Certificate(); err != nil || c.Leaf.NotAfter.Before(now.Add(renewBefore)) {
		t.Errorf("after the disk has space again: got error %v, want a new certificate", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	o, err := NewOwn(t.TempDir(), []string{"a.example"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, o, o.AuthorityFile, "a.example", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 }); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	if s, err := get(t, o, o.AuthorityFile, "a.example", nil); err != nil || s.Version != tls.VersionTLS13 {
		t.Errorf("got %+v, error %v; want TLS 1.3", s, err)
	}
}

func TestRenewedFilesAreTakenUp(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	clock := func() time.Time { return now }
	renew := func(name string) string {
		o, err := NewOwn(filepath.Join(dir, name), []string{name}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{".pem", ".key"} {
			b, err := os.ReadFile(filepath.Join(dir, name, "server"+ext))
			if err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(dir, "cert"+ext)
			if err := os.WriteFile(to, b, 0o600); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Second)
			if err := os.Chtimes(to, now, now); err != nil {
				t.Fatal(err)
			}
		}
		return o.AuthorityFile
	}
	renew("old.example")
	var log bytes.Buffer
	s, err := FromFiles(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "cert.key"), slog.New(slog.NewTextHandler(&log, nil)), clock)
	if err != nil {
		t.Fatal(err)
	}
	names := func() string {
		c, err := s.Certificate()
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.DNSNames[0]
	}
	renew("new.example")
	if names() != "old.example" {
		t.Error("the files were read at every handshake")
	}
	now = now.Add(checkEvery)
	if names() != "new.example" {
		t.Error("the renewed certificate is not used")
	}
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(checkEvery)
	if names() != "new.example" || !bytes.Contains(log.Bytes(), []byte("level=ERROR")) {
		t.Errorf("broken files: got log %s; want the previous certificate and an error", &log)
	}
	for _, missing := range [][2]string{{"none", "cert.key"}, {"cert.pem", "none"}, {"cert.pem", "cert.key"}} {
		if _, err := FromFiles(filepath.Join(dir, missing[0]), filepath.Join(dir, missing[1]), slog.New(slog.DiscardHandler), clock); err == nil {
			t.Errorf("%v were accepted", missing)
		}
	}
}
