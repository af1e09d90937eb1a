package trust

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// sctList is the extension with which public authorities prove that a certificate was logged
// (RFC 6962 §3.3). Neither private authorities nor machines that intercept TLS can add it.
var sctList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// Incomplete reports whether a chain that is not trusted lacks the intermediate certificate (RFC
// 8446 §4.4.2): that of a public authority without the certificate of its issuer. Most browsers
// fetch it or have it, other programs do not.
func Incomplete(chain []*x509.Certificate) bool {
	if len(chain) == 0 {
		return false
	}
	leaf := chain[0]
	logged := slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(sctList) })
	return logged && !slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, leaf.RawIssuer) })
}
