package trust

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Verify holds a chain against a name, the roots and the collector's own authority
// at a time; zero is now. An authority whose key is known counts whatever the
// dates of the certificate that this computer has of it: the collector gives it
// new ones with the same key.
func (p *Pins) Verify(chain []*x509.Certificate, name string, roots *x509.CertPool, at time.Time) ([][]*x509.Certificate, error) {
	if len(chain) == 0 {
		return nil, x509.UnknownAuthorityError{}
	}
	opts := x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: at, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	verified, err := chain[0].Verify(opts)
	if err == nil {
		return verified, nil
	}
	known := p.authorities(chain[1:])
	if len(known) == 0 {
		return nil, err
	}
	opts.Roots = x509.NewCertPool()
	for _, c := range known {
		opts.Roots.AddCert(c)
	}
	return chain[0].Verify(opts)
}

// authorities are the certificates of the collector's own authority among those
// that were shown.
func (p *Pins) authorities(shown []*x509.Certificate) (known []*x509.Certificate) {
	if p == nil {
		return nil
	}
	for _, c := range shown {
		// Only of the key that it is known by, and only by itself: whoever has not
		// the key cannot have signed it.
		if c.IsCA && slices.Contains(p.CA, wire.PinOf(c)) && c.CheckSignatureFrom(c) == nil {
			known = append(known, c)
		}
	}
	return known
}

// Authorities are the certificates, among those of a connection, of the
// collector's own authority, for those that trust by certificate and not by key.
func (p *Pins) Authorities(c Contact) []*x509.Certificate { return p.authorities(c.Chain) }

// Config is a client's TLS that believes what Verify does. name is the server's
// for a connection to an address, which has no server name (RFC 6066 §3).
func (p *Pins) Config(roots *x509.CertPool, name string) *tls.Config {
	c := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if p == nil || len(p.CA) == 0 {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection does it, by the same rules and once more
	c.VerifyConnection = func(s tls.ConnectionState) error {
		asked := name
		if s.ServerName != "" {
			asked = s.ServerName // of a proxy, perhaps
		}
		if _, err := p.Verify(s.PeerCertificates, asked, roots, time.Time{}); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		return nil
	}
	return c
}
