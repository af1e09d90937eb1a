package collector

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// ProxyError is the error of a proxy that does not connect to the collector.
type ProxyError struct{ Status int }

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.Status, http.StatusText(e.Status))
}

// AtProxy reports whether err comes from the proxy, including its certificate, and not
// from the collector.
func AtProxy(err error) bool {
	if _, ok := errors.AsType[*ProxyError](err); ok {
		return true
	}
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "proxyconnect" // net/http's name for a failure to reach a proxy
}

// Untrusted reports whether err is caused by an untrusted certificate at the
// collector's address.
func Untrusted(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok && !AtProxy(err)
}
