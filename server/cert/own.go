package cert

import (
	"bytes"
	"crypto"
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
	"log/slog"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Lifetimes. Apple's systems reject server certificates of more than 398 days.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 397 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	// An agent learns the authority's new certificate at its next check, so one check a year is
	// sufficient.
	renewAuthorityBefore = 365 * 24 * time.Hour
	backdate             = 24 * time.Hour // for agents whose clock is slow
)

// Names of the files, without their endings.
const (
	authorityName = "ca"
	nextName      = "ca-next"
	serverName    = "server"
)

// Own is a certificate of the collector's own authority, so that passwords are never sent in
// clear text even if no certificate was configured.
//
// Agents trust the authority by its key. Its certificate is renewed with the same key before it
// expires, or if its dates show that it was created with a wrong clock, so neither locks out
// agents. The next key is generated in advance and announced together with the current one (see
// Keys): if the key must be replaced, agents already know its successor.
type Own struct {
	// AuthorityFile is the file that agents need for --ca.
	AuthorityFile string
	// Log is for renewals that fail while the certificate is still valid; nil means none.
	Log *slog.Logger

	dir   string
	names []string
	now   func() time.Time

	mu        sync.Mutex
	follow    func() []string // returns the names again; nil if they are fixed
	followed  time.Time       // when it was last called
	authority tls.Certificate
	nextPin   string
	server    tls.Certificate
	served    served
	failed    time.Time // time of the last renewal that failed
}

// NewOwn stores the authority and the certificate in dir, and creates what is missing, expired, or
// does not include one of the names (hosts and addresses). If the authority's files were removed,
// the announced next key takes over.
func NewOwn(dir string, names []string, now func() time.Time) (*Own, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create a certificate: %w", err)
	}
	o := &Own{AuthorityFile: filepath.Join(dir, authorityName+".pem"), dir: dir, names: names, now: now}
	if err := o.openAuthority(); err != nil {
		return nil, fmt.Errorf("own certificate authority: %w", err)
	}
	var err error
	if o.server, err = o.load(serverName); err != nil || !o.fits() {
		// If it is unusable for any reason, a new one replaces it.
		if o.server, err = o.newServer(); err != nil {
			return nil, fmt.Errorf("own certificate: %w", err)
		}
	}
	o.served.add(o.server.Leaf)
	return o, nil
}

func (o *Own) openAuthority() (err error) {
	if o.authority, err = o.load(authorityName); errors.Is(err, fs.ErrNotExist) {
		if err = o.succeed(); err == nil {
			o.authority, err = o.signAuthority()
		}
	}
	if err == nil && !current(o.authority.Leaf, o.now(), authorityLife, renewAuthorityBefore) {
		o.authority, err = o.signAuthority()
	}
	if err != nil {
		return err
	}
	next, err := o.key(nextName)
	if err != nil {
		return err
	}
	o.nextPin, err = wire.PinOfKey(next.Public())
	return err
}

// succeed makes the next key the authority's, if the authority has none.
func (o *Own) succeed() error {
	if _, err := os.Stat(o.path(authorityName, ".key")); !errors.Is(err, fs.ErrNotExist) {
		return err // its certificate is missing; the key signs a new one
	}
	err := os.Rename(o.path(nextName, ".key"), o.path(authorityName, ".key"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // first start
	}
	return err
}

// current reports whether a certificate is valid now and for some time, and was not created by a
// clock that was ahead.
func current(c *x509.Certificate, now time.Time, life, before time.Duration) bool {
	return !now.Before(c.NotBefore) && now.Add(before).Before(c.NotAfter) && !c.NotAfter.After(now.Add(life+backdate))
}

// retryRenewal is the pause after a renewal that failed.
const retryRenewal = time.Minute

// Certificate renews the certificate and the authority in time. If that fails, as with a full disk, it
// returns the present certificate while that is valid.
func (o *Own) Certificate() (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	valid := !now.Before(o.server.Leaf.NotBefore) && now.Before(o.server.Leaf.NotAfter)
	if since := now.Sub(o.failed); valid && since >= 0 && since < retryRenewal {
		return &o.server, nil
	}
	if err := o.renew(); err != nil {
		if !valid {
			return nil, err
		}
		o.failed = now
		if o.Log != nil {
			o.Log.Error("the certificate could not be renewed", "err", err, "valid_until", o.server.Leaf.NotAfter)
		}
	}
	return &o.server, nil
}

// renew renews what is due, and includes new names.
func (o *Own) renew() error {
	if !current(o.authority.Leaf, o.now(), authorityLife, renewAuthorityBefore) {
		renewed, err := o.signAuthority()
		if err != nil {
			return fmt.Errorf("renew own certificate authority: %w", err)
		}
		o.authority = renewed
	}
	o.followNames()
	if !o.fits() {
		renewed, err := o.newServer()
		if err != nil {
			return fmt.Errorf("renew own certificate: %w", err)
		}
		o.server = renewed
		o.served.add(renewed.Leaf)
	}
	return nil
}

// followEvery limits how often the names are requested.
const followEvery = 5 * time.Second

// Follow requests the names again while the certificate is in use: an address that this machine
// gets later must be included. One that disappears stays until the next change.
func (o *Own) Follow(names func() []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.follow = names
}

func (o *Own) followNames() {
	since := o.now().Sub(o.followed)
	if o.follow == nil || since >= 0 && since < followEvery {
		return
	}
	o.followed = o.now()
	names := o.follow()
	if !slices.ContainsFunc(names, func(name string) bool { return o.server.Leaf.VerifyHostname(name) != nil }) {
		return
	}
	before := o.names
	o.names = names
	renewed, err := o.newServer()
	if err != nil {
		o.names = before // the old certificate is valid for the others
		return
	}
	o.server = renewed
	o.served.add(renewed.Leaf)
}

// Keys returns the keys of the certificates served so far, and of the authority: the current and
// the next one.
func (o *Own) Keys() wire.Keys {
	o.mu.Lock()
	defer o.mu.Unlock()
	return wire.Keys{Leaf: o.served.list(), CA: []string{wire.PinOf(o.authority.Leaf), o.nextPin}}
}

// AuthorityPin returns the pin of the authority's key (see wire.Keys), by which a computer trusts
// the collector at enrolment.
func (o *Own) AuthorityPin() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return wire.PinOf(o.authority.Leaf)
}

// Fingerprint returns the SHA-256 of the certificate as browsers display it.
func (o *Own) Fingerprint() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	sum := sha256.Sum256(o.server.Leaf.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

func (o *Own) fits() bool {
	leaf := o.server.Leaf
	if !current(leaf, o.now(), serverLife, renewBefore) || leaf.CheckSignatureFrom(o.authority.Leaf) != nil {
		return false
	}
	// The authority is included: agents that know its key learn its new dates from it.
	if len(o.server.Certificate) != 2 || !bytes.Equal(o.server.Certificate[1], o.authority.Leaf.Raw) {
		return false
	}
	return !slices.ContainsFunc(o.names, func(name string) bool { return leaf.VerifyHostname(name) != nil })
}

// signAuthority creates the authority's certificate with the present key.
func (o *Own) signAuthority() (tls.Certificate, error) {
	key, err := o.key(authorityName)
	if err != nil {
		return tls.Certificate{}, err
	}
	return o.issue(authorityName, key, nil, &x509.Certificate{
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
	// The key first: a certificate without its key would be considered complete.
	key, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := o.writeKey(serverName, key); err != nil {
		return tls.Certificate{}, err
	}
	return o.issue(serverName, key, &o.authority, t)
}

// issue creates and stores a certificate; if by is nil it is self-signed.
func (o *Own) issue(name string, key crypto.Signer, by *tls.Certificate, t *x509.Certificate) (tls.Certificate, error) {
	var none tls.Certificate
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return none, fmt.Errorf("generate a serial number: %w", err)
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
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if by != nil {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Leaf.Raw})...)
	}
	if err := o.write(name+".pem", text, 0o644); err != nil {
		return none, err
	}
	return o.load(name)
}

// key reads a key, and creates it if it does not exist.
func (o *Own) key(name string) (crypto.Signer, error) {
	b, err := os.ReadFile(o.path(name, ".key"))
	if errors.Is(err, fs.ErrNotExist) {
		key, err := newKey()
		if err != nil {
			return nil, err
		}
		return key, o.writeKey(name, key)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s.key: %w", name, err)
	}
	return parseKey(name, b)
}

func parseKey(name string, text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("read %s.key: it holds no key", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read %s.key: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("read %s.key: it cannot sign", name)
	}
	return signer, nil
}

func newKey() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate a key: %w", err)
	}
	return key, nil
}

func (o *Own) writeKey(name string, key crypto.Signer) error { return writeKey(o.dir, name, key) }

func (o *Own) load(name string) (tls.Certificate, error) {
	return tls.LoadX509KeyPair(o.path(name, ".pem"), o.path(name, ".key"))
}

func (o *Own) path(name, ending string) string { return filepath.Join(o.dir, name+ending) }

func (o *Own) write(name string, text []byte, mode os.FileMode) error {
	return replaceFile(filepath.Join(o.dir, name), text, mode)
}

func writeKey(dir, name string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the key: %w", err)
	}
	return replaceFile(filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// replaceFile replaces a file atomically.
func replaceFile(to string, text []byte, mode os.FileMode) error {
	if err := os.WriteFile(to+".new", text, mode); err != nil {
		return fmt.Errorf("store %s: %w", filepath.Base(to), err)
	}
	if err := os.Rename(to+".new", to); err != nil {
		return fmt.Errorf("store %s: %w", filepath.Base(to), err)
	}
	return nil
}
