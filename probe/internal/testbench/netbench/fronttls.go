package netbench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// frontTLS has the collector's own keys, so it can present the collector's
// certificate of another time.
type frontTLS struct {
	own       tls.Certificate
	authority tls.Certificate
	identity  ed25519.PrivateKey
	wrong     map[string]tls.Certificate
	shown     atomic.Pointer[tls.Certificate]
}

// newFrontTLS reads the keys in the collector's folder.
func newFrontTLS(dir string) (*frontTLS, error) {
	f := &frontTLS{}
	var err error
	load := func(name string) tls.Certificate {
		c, loadErr := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
		err = errors.Join(err, loadErr)
		return c
	}
	f.own, f.authority = load("server"), load("ca")
	b, readErr := os.ReadFile(filepath.Join(dir, "identity.key"))
	if err = errors.Join(err, readErr); err != nil {
		return nil, fmt.Errorf("read the collector's keys: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("read the collector's identity: no key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the collector's identity: %w", err)
	}
	var ok bool
	if f.identity, ok = key.(ed25519.PrivateKey); !ok {
		return nil, errors.New("read the collector's identity: no Ed25519 key")
	}
	if f.wrong, err = wrongCertificates(func(name string) string { return filepath.Join(dir, name) }, f.own); err != nil {
		return nil, err
	}
	f.shown.Store(&f.own)
	return f, nil
}

func (f *frontTLS) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.shown.Load(), nil
}

// load creates the certificate of a scenario.
func (f *frontTLS) load(s CollectorSpec) error {
	const month = 30 * 24 * time.Hour
	now := time.Now()
	var from time.Time
	switch s.Certificate {
	case "renewed":
		from = now.Add(-time.Hour)
	case "by_clock":
		from = now.Add(time.Duration(s.ClockS*float64(time.Second)) - time.Hour)
	default:
		shown, ok := f.wrong[s.Certificate]
		if !ok {
			shown = f.own
		}
		var err error
		if shown.Leaf, err = x509.ParseCertificate(shown.Certificate[0]); err != nil {
			return fmt.Errorf("read a certificate of a scenario: %w", err)
		}
		f.shown.Store(&shown)
		return nil
	}
	// The authority of that time has the same key and other dates.
	template := *f.authority.Leaf
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(now.UnixNano()), from.Add(-time.Hour), from.Add(120*month)
	signer, ok := f.authority.PrivateKey.(crypto.Signer)
	if !ok {
		return errors.New("sign for a scenario: the authority's key cannot sign")
	}
	authority, err := x509.CreateCertificate(rand.Reader, &template, &template, signer.Public(), signer)
	if err != nil {
		return fmt.Errorf("sign for a scenario: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("create a key: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: ServerName}, DNSNames: []string{ServerName},
		NotBefore: from, NotAfter: from.Add(month), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, f.authority.Leaf, key.Public(), signer)
	if err != nil {
		return fmt.Errorf("sign for a scenario: %w", err)
	}
	made := &tls.Certificate{Certificate: [][]byte{der, authority}, PrivateKey: key}
	if made.Leaf, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	f.shown.Store(made)
	return nil
}

// announce adds the announcement of the presented certificate, as the collector
// would.
func (f *frontTLS) announce(r *http.Response) {
	nonce := r.Request.Header.Get(wire.HeaderKeys)
	if r.Header.Get(wire.HeaderKeys) == "" || !wire.ValidNonce(nonce) {
		return
	}
	keys, ok := wire.ParseKeys(r.Header.Get(wire.HeaderKeys), nonce)
	if !ok {
		return
	}
	keys.Leaf = append(keys.Leaf, wire.PinOf(f.shown.Load().Leaf))
	if signed, err := keys.Sign(f.identity, nonce); err == nil {
		r.Header.Set(wire.HeaderKeys, signed)
	}
}
