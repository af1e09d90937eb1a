package trust

import (
	"bytes"
	"crypto/x509"
)

// Incomplete reports whether a chain that is not trusted lacks an intermediate certificate (RFC
// 5246 §7.4.2): its last certificate names another issuer and where that one's certificate can be
// fetched (RFC 5280 §4.2.2.1). Most browsers fetch it or have it, other programs do not. The
// certificates of machines that intercept TLS name no such place.
func Incomplete(chain []*x509.Certificate) bool {
	if len(chain) == 0 {
		return false
	}
	last := chain[len(chain)-1]
	return !bytes.Equal(last.RawIssuer, last.RawSubject) && len(last.IssuingCertificateURL) > 0
}
