package collector

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// ProxyError is a proxy that does not connect to the collector.
type ProxyError struct{ Status int }

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.Status, http.StatusText(e.Status))
}

// AtProxy says whether err comes from the proxy, its own certificate included, and
// not from the collector.
func AtProxy(err error) bool {
	if _, ok := errors.AsType[*ProxyError](err); ok {
		return true
	}
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "proxyconnect" // as net/http names what fails on the way to a proxy
}

// Untrusted says whether err comes from a certificate of the collector's address
// that is not trusted.
func Untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok && !AtProxy(err)
}
