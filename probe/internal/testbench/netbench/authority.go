package netbench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"time"
)

// authority is a certificate authority other than the collector's: that of a guest
// network or of an inspecting firewall.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("create the key of %s: %w", name, err)
	}
	a := &authority{key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &key.PublicKey, key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		return nil, fmt.Errorf("create the certificate of %s: %w", name, err)
	}
	return a, nil
}

// wrongCertificates returns the certificates for CollectorSpec.Certificate. Those
// of the collector's own authority use its files, which beside locates. The expired
// one has the collector's key, which the agents know.
func wrongCertificates(beside func(name string) string, own tls.Certificate) (map[string]tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(beside("ca.pem"), beside("ca.key"))
	if err != nil {
		return nil, fmt.Errorf("read the collector's authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	ownKey, ownOK := own.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !ownOK {
		return nil, fmt.Errorf("the collector has keys of unsupported types: %T, %T", pair.PrivateKey, own.PrivateKey)
	}
	now := time.Now()
	town := &authority{cert: pair.Leaf, key: key}
	stranger, err := newAuthority("Somebody")
	if err != nil {
		return nil, err
	}
	all := map[string]tls.Certificate{}
	for _, c := range []struct {
		kind, host string
		by         *authority
		key        *ecdsa.PrivateKey
		until      time.Time
	}{
		{"expired", ServerName, town, ownKey, now.Add(-24 * time.Hour)},
		{"wrong_name", "www.example.org", town, ownKey, now.Add(24 * time.Hour)},
		{"untrusted", ServerName, stranger, stranger.key, now.Add(24 * time.Hour)},
	} {
		if all[c.kind], err = c.by.sign(c.host, c.key, c.until); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// issue creates a server certificate with a new key.
func (a *authority) issue(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("create the key of %s: %w", host, err)
	}
	return a.sign(host, key, a.cert.NotAfter)
}

// sign creates a server certificate for a key, which is valid for two days.
func (a *authority) sign(host string, key *ecdsa.PrivateKey, until time.Time) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		IPAddresses: addressNames(host),
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("create the certificate of %s: %w", host, err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}, nil
}

func addressNames(host string) []net.IP {
	if a, err := netip.ParseAddr(host); err == nil {
		return []net.IP{a.AsSlice()}
	}
	return nil
}

// pem returns the authority's certificate, for --ca.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}
