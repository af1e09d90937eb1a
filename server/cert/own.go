package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Lifetimes. Apple's systems refuse a server certificate of more than 398 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 397 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	backdate      = 24 * time.Hour // for agents whose clock is slow
)

// Own is a certificate from an authority of the collector's own, so that
// passwords never travel in the clear even when nobody has set up a
// certificate. Agents trust the authority by its file; it survives the renewal
// of the certificate.
type Own struct {
	// AuthorityFile is what agents need for --ca.
	AuthorityFile string

	dir   string
	names []string
	now   func() time.Time

	mu        sync.Mutex
	authority tls.Certificate
	server    tls.Certificate
}

// NewOwn keeps the authority and the certificate in dir, and makes what is
// missing, expired, or does not hold one of the names (hosts and addresses).
func NewOwn(dir string, names []string, now func() time.Time) (*Own, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	o := &Own{AuthorityFile: filepath.Join(dir, "ca.pem"), dir: dir, names: names, now: now}
	var err error
	if o.authority, err = o.load("ca"); errors.Is(err, fs.ErrNotExist) {
		o.authority, err = o.newAuthority()
	}
	if err != nil {
		return nil, fmt.Errorf("own certificate authority: %w", err)
	}
	if o.server, err = o.load("server"); err != nil || !o.fits() {
		// Whatever is wrong with it, a new one is as good.
		if o.server, err = o.newServer(); err != nil {
			return nil, fmt.Errorf("own certificate: %w", err)
		}
	}
	return o, nil
}

// Certificate renews the certificate in time.
func (o *Own) Certificate() (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now().Add(renewBefore).After(o.server.Leaf.NotAfter) {
		renewed, err := o.newServer()
		if err != nil {
			return nil, fmt.Errorf("renew own certificate: %w", err)
		}
		o.server = renewed
	}
	return &o.server, nil
}

// Fingerprint is the SHA-256 of the certificate as browsers show it.
func (o *Own) Fingerprint() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := sha256.Sum256(o.server.Leaf.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

func (o *Own) fits() bool {
	leaf := o.server.Leaf
	if o.now().Add(renewBefore).After(leaf.NotAfter) || leaf.CheckSignatureFrom(o.authority.Leaf) != nil {
		return false
	}
	return !slices.ContainsFunc(o.names, func(name string) bool { return leaf.VerifyHostname(name) != nil })
}

func (o *Own) newAuthority() (tls.Certificate, error) {
	return o.issue("ca", nil, &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Tonprobe collector"},
		NotAfter:              o.now().Add(authorityLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	})
}

func (o *Own) newServer() (tls.Certificate, error) {
	t := &x509.Certificate{
		Subject:     pkix.Name{CommonName: o.names[0]},
		NotAfter:    o.now().Add(serverLife),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range o.names {
		if a, err := netip.ParseAddr(name); err == nil {
			t.IPAddresses = append(t.IPAddresses, a.Unmap().AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	return o.issue("server", &o.authority, t)
}

// issue makes and keeps a certificate; by nil it signs itself.
func (o *Own) issue(name string, by *tls.Certificate, t *x509.Certificate) (tls.Certificate, error) {
	var none tls.Certificate
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return none, fmt.Errorf("draw a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return none, fmt.Errorf("draw a serial number: %w", err)
	}
	t.SerialNumber, t.NotBefore = serial, o.now().Add(-backdate)
	parent, signer := t, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	if err != nil {
		return none, fmt.Errorf("sign: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return none, fmt.Errorf("encode the key: %w", err)
	}
	// The key first: a certificate whose key is missing would be found whole.
	if err := o.write(name+".key", "PRIVATE KEY", keyDER); err != nil {
		return none, err
	}
	if err := o.write(name+".pem", "CERTIFICATE", der); err != nil {
		return none, err
	}
	return o.load(name)
}

func (o *Own) load(name string) (tls.Certificate, error) {
	return tls.LoadX509KeyPair(filepath.Join(o.dir, name+".pem"), filepath.Join(o.dir, name+".key"))
}

// write replaces a file whole or not at all.
func (o *Own) write(name, kind string, der []byte) error {
	mode := os.FileMode(0o600)
	if kind == "CERTIFICATE" {
		mode = 0o644
	}
	to := filepath.Join(o.dir, name)
	if err := os.WriteFile(to+".new", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}
