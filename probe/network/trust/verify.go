package trust

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Verify verifies a chain for a name, the roots and the collector's own authority at a time; zero means now. An authority whose
// key is known is valid regardless of the dates of the stored certificate: the collector renews it with the same key.
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

// authorities returns the certificates of the collector's own authority in shown.
func (p *Pins) authorities(shown []*x509.Certificate) (known []*x509.Certificate) {
	if p == nil {
		return nil
	}
	for _, c := range shown {
		// Only self-signed ones with the known key: only the owner of the key can have signed them.
		if c.IsCA && slices.Contains(p.CA, wire.PinOf(c)) && c.CheckSignatureFrom(c) == nil {
			known = append(known, c)
		}
	}
	return known
}

// Authorities returns the certificates of the collector's own authority in a connection, for users that trust certificates
// instead of keys.
func (p *Pins) Authorities(c Contact) []*x509.Certificate { return p.authorities(c.Chain) }

// Config returns a TLS client configuration that uses Verify. name is the server's name for a connection to an address, which
// has no server name indication (RFC 6066 §3).
func (p *Pins) Config(roots *x509.CertPool, name string) *tls.Config {
	c := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if p == nil || len(p.CA) == 0 {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection verifies instead
	c.VerifyConnection = func(s tls.ConnectionState) error {
		asked := name
		if s.ServerName != "" {
			asked = s.ServerName // possibly of a proxy
		}
		if _, err := p.Verify(s.PeerCertificates, asked, roots, time.Time{}); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		return nil
	}
	return c
}
