package collector

import (
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A stored certificate must not include a key from the same file.
func TestReadCAKeepsOnlyCertificates(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}))
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("a comment\n"+certificate+key+certificate), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCA(path)
	if err != nil || got != certificate+certificate {
		t.Errorf("got %q, error %v; want %q", got, err, certificate+certificate)
	}
	if RootCAs(got) == nil || RootCAs("") != nil {
		t.Error("want a pool if and only if there are certificates")
	}
}

func TestReadCAWithoutCertificate(t *testing.T) {
	for _, content := range []string{"", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", strings.Repeat("-----BEGIN ", 1000)} {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadCA(path); !errors.Is(err, ErrNoCertificate) {
			t.Errorf("%.40q: got error %v, want %v", content, err, ErrNoCertificate)
		}
	}
}
