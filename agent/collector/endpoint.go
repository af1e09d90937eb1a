// Package collector is the agent's client of the collector: its address, whom to
// trust, and the meaning of its responses.
package collector

import (
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/network/trust"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

// dialTimeout limits name resolution and connection set-up. Three seconds allow for
// one lost SYN (RFC 6298: 1 s) and a slow line.
const dialTimeout = 3 * time.Second

// responseTime is the usual time until a response begins.
const responseTime = 20 * time.Second

// Endpoint is one collector and the authorisation to use it.
type Endpoint struct {
	// URL is the collector's address, such as https://tonprobe.example.org:8443.
	URL string
	// Token is the bearer token from enrolment; empty before it, and with Via.
	Token string
	// Via, if not nil, sends the requests of Client and adds the token: the service of
	// this computer, which does not disclose it.
	Via http.RoundTripper
	// Tokens, if not nil, returns the agent's present tokens when Token is refused, the best one
	// first: another program may have replaced it. Calls may overlap.
	Tokens func() []string
	// Renew, if not nil, is called with each response in which the collector asks for a new token.
	// Calls may overlap.
	Renew func()
	// RootCAs are the trusted certificate authorities; nil means the system's.
	RootCAs *x509.CertPool
	// Pins are the known keys of the collector; nil if none are known.
	Pins *trust.Pins
	// Learn, if not nil, receives newly announced keys of the collector, and
	// certificates of its own authority with new dates. Calls do not overlap.
	Learn func(*trust.Pins, []*x509.Certificate)
	// SupportPhone, if not nil, receives the phone number of support with each response
	// of the collector; "" if it has none. Calls may overlap.
	SupportPhone func(string)
	// Proxies determines the proxy of all transports; nil means that each determines its
	// own.
	Proxies *proxy.Finder
	// ResponseTime is the time until a response begins; 0 means 20 s.
	ResponseTime time.Duration
	// Enrolling means that this is the first contact with the collector.
	Enrolling bool
}

// ParseURL parses the address of a collector; the error is an [*origin.Error]. Plain
// http is allowed for this machine only, because each request carries a token.
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

// Enrolled reports whether the collector accepts requests of this agent.
func (e *Endpoint) Enrolled() bool { return e != nil && (e.Token != "" || e.Via != nil) }

// SameAccess reports whether e and o are the same collector with the same authorisation and
// the same trust in it, so that they can share connections.
func (e *Endpoint) SameAccess(o *Endpoint) bool {
	return e.URL == o.URL && e.Token == o.Token && e.RootCAs.Equal(o.RootCAs) && e.Pins.Equal(o.Pins)
}

// Authorise adds the token to a request.
func (e *Endpoint) Authorise(r *http.Request) {
	if e.Token != "" {
		r.Header.Set("Authorization", "Bearer "+e.Token)
	}
}

// Client returns an HTTP client that trusts RootCAs and Pins, uses the proxy of the
// environment or the system, and does not follow redirects, which would send the token
// to another host.
func (e *Endpoint) Client() *http.Client {
	next := e.Via
	if next == nil {
		next = e.Transport()
		if e.Tokens != nil {
			next = &authoriser{endpoint: e, next: next}
		}
	}
	return &http.Client{
		Transport:     &learner{endpoint: e, next: next, name: e.hostname()},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// hostname is "" where URL cannot be parsed.
func (e *Endpoint) hostname() string {
	base, err := e.Base()
	if err != nil {
		return ""
	}
	return base.Hostname()
}

// Transport returns a transport with the trust and the proxy of Client, for
// measurements that open connections of their own. It learns nothing.
func (e *Endpoint) Transport() *http.Transport {
	proxies := e.Proxies
	if proxies == nil {
		proxies = proxy.NewFinder(proxy.Config{})
	}
	return &http.Transport{
		Proxy:                 proxies.ForRequest,
		DialContext:           dial,
		TLSClientConfig:       e.Pins.Config(e.RootCAs, e.hostname()),
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: cmp.Or(e.ResponseTime, responseTime),
		IdleConnTimeout:       30 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          4,
		// A distinct error, to distinguish a refusing proxy from a refusing collector.
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
			if r.StatusCode/100 != 2 {
				return &ProxyError{Status: r.StatusCode}
			}
			return nil
		},
	}
}
