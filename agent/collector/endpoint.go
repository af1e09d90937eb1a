// Package collector is the agent's side of the way to the collector: where it
// is, whom to trust, and what its answers mean.
package collector

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// dialTimeout is how long looking up a collector and connecting may take; three
// seconds leave room for one lost SYN (RFC 6298: 1 s) and a slow line.
const dialTimeout = 3 * time.Second

// Endpoint is one collector and the right to use it.
type Endpoint struct {
	// URL is the collector's address, such as https://tonprobe.example.org:8443.
	URL string
	// Token is the bearer token from enrolment; empty before it.
	Token string
	// RootCAs are the certificate authorities trusted; nil means the system's.
	RootCAs *x509.CertPool
	// Pins are what is known of the collector's keys; nil is nothing.
	Pins *trust.Pins
	// Learn, if not nil, is given what the clients find out about the collector's
	// keys beyond Pins, and those certificates of its own authority that bring new
	// dates. Calls do not overlap.
	Learn func(*trust.Pins, []*x509.Certificate)
	// SupportPhone, if not nil, is given the number of phone support with each answer
	// of the collector; "" where it names none. Calls may overlap.
	SupportPhone func(string)
	// Enrolling says that the collector is met for the first time.
	Enrolling bool
}

// ParseURL reads a collector's address; the error is an [*origin.Error]. Plain http
// is allowed only to this machine, since a token travels with every request.
func ParseURL(s string) (*url.URL, error) {
	u, err := origin.ParseSecure(s)
	if err != nil {
		return nil, err
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &origin.Error{Address: origin.Of(u), Fault: origin.FaultTooMuch}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// Base returns the parsed URL.
func (e *Endpoint) Base() (*url.URL, error) { return ParseURL(e.URL) }

// Client returns an HTTP client that trusts RootCAs and Pins, uses the proxy that
// the environment or the system names and follows no redirect: a token must not be
// carried to another host.
func (e *Endpoint) Client() *http.Client {
	name := ""
	if base, err := e.Base(); err == nil {
		name = base.Hostname()
	}
	return &http.Client{
		Transport:     &learner{endpoint: e, next: e.transport(name), name: name},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (e *Endpoint) transport(name string) *http.Transport {
	return &http.Transport{
		Proxy:                 proxy.NewFinder(proxy.Config{}).ForRequest,
		DialContext:           lookup.Dialer{Resolver: lookup.System(), Timeout: dialTimeout}.DialContext,
		TLSClientConfig:       e.Pins.Config(e.RootCAs, name),
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		IdleConnTimeout:       30 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          4,
		// Its own error, so that a refusing proxy is told from a refusing collector.
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
			if r.StatusCode/100 != 2 {
				return &ProxyError{Status: r.StatusCode}
			}
			return nil
		},
	}
}
