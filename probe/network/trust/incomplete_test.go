package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
)

// TestIncomplete: only a certificate of a public authority without that of its issuer shows that
// the server's chain is incomplete.
func TestIncomplete(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(name, issuer string, logged bool) *x509.Certificate {
		t.Helper()
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}
		if logged {
			template.ExtraExtensions = []pkix.Extension{{Id: sctList, Value: []byte{4, 2, 0, 0}}}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: issuer}}, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		want  bool
	}{
		"empty":                       {nil, false},
		"public, alone":               {[]*x509.Certificate{issue("bbb", "R11", true)}, true},
		"public, wrong intermediate":  {[]*x509.Certificate{issue("bbb", "R11", true), issue("R10", "root", false)}, true},
		"public, unknown root":        {[]*x509.Certificate{issue("bbb", "R11", true), issue("R11", "root", false)}, false},
		"private authority":           {[]*x509.Certificate{issue("bbb", "town CA", false)}, false},
		"intercepted":                 {[]*x509.Certificate{issue("bbb", "firewall", false), issue("firewall", "town CA", false)}, false},
		"signed by itself":            {[]*x509.Certificate{issue("bbb", "bbb", false)}, false},
		"signed by itself, extension": {[]*x509.Certificate{issue("bbb", "bbb", true)}, false},
	} {
		if got := Incomplete(c.chain); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
