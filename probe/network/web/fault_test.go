package web

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestTLSFaults(t *testing.T) {
	ca, stranger := newAuthority(t, "town"), newAuthority(t, "Fortinet CA")
	now := time.Now()
	for name, c := range map[string]struct {
		server *httptest.Server
		want   string
	}{
		"another authority": {secure(t, stranger.good(t), ok), "untrusted"},
		"another name":      {secure(t, ca.sign(t, "login.hotel.example", now.AddDate(0, -1, 0), now.AddDate(0, 1, 0)), ok), "wrong_name"},
		"expired":           {secure(t, ca.sign(t, host, now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)), ok), "expired"},
		"not yet valid":     {secure(t, ca.sign(t, host, now.AddDate(0, 1, 0), now.AddDate(0, 2, 0)), ok), "expired"},
		"no TLS":            {testnet.Server(t, ok), "protocol"},
	} {
		d, r := run(t, direct("https", c.server, ca), probetest.Env(t))
		if d.TLSError != c.want || d.Stage != "tcp" || r.Status != report.StatusFail || !*d.Online || d.ServerHealthy != nil || d.HTTPStatus != nil {
			t.Errorf("%s: got %+v, %+v; want TLS error %q", name, r, d, c.want)
		}
		if got := d.TLSIntercepted != nil && *d.TLSIntercepted; got != (name == "another authority") {
			t.Errorf("%s: got intercepted %t, want %t", name, got, name == "another authority")
		}
		if (d.TLSIncomplete != nil) != (c.want == "untrusted") || d.TLSIncomplete != nil && *d.TLSIncomplete {
			t.Errorf("%s: got incomplete %v, want false if the authority is unknown", name, d.TLSIncomplete)
		}
		// An untrusted server shows only that its clock agrees with ours.
		if agrees := c.want == "expired"; (d.ClockOffsetMS != nil) != agrees || agrees && math.Abs(*d.ClockOffsetMS) > float64(agreeWithin.Milliseconds()) {
			t.Errorf("%s: got clock offset %v ms, want about 0 and not nil: %t", name, testnet.Deref(d.ClockOffsetMS), agrees)
		}
	}
}

// TestIncompleteChain: a server that does not send its intermediate certificate is told from one
// of an unknown authority.
func TestIncompleteChain(t *testing.T) {
	root := newAuthority(t, "root")
	between := newAuthority(t, "intermediate")
	// A list of signed certificate timestamps (RFC 6962 §3.3), as public authorities add it.
	between.extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: []byte{4, 2, 0, 0}}}
	d, _ := run(t, direct("https", secure(t, between.good(t), ok), root), probetest.Env(t))
	if d.TLSError != "untrusted" || d.TLSIncomplete == nil || !*d.TLSIncomplete {
		t.Errorf("got TLS error %q, incomplete %v; want untrusted, true", d.TLSError, d.TLSIncomplete)
	}
}

// TestTrustedInspection: the municipality's own middlebox, whose authority is
// installed.
func TestTrustedInspection(t *testing.T) {
	ca := newAuthority(t, "Sophos SSL CA")
	d, _ := run(t, direct("https", secure(t, ca.good(t), ok), ca), probetest.Env(t))
	if d.Stage != "http" || d.TLSIntercepted == nil || !*d.TLSIntercepted {
		t.Errorf("got %+v, want intercepted", d)
	}
}

// TestCaptivePortal checks that two signs are required.
func TestCaptivePortal(t *testing.T) {
	ca, stranger := newAuthority(t, "town"), newAuthority(t, "hotel")
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://login.hotel.example/?from="+r.URL.Path, http.StatusFound)
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	toTLS := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+host+r.URL.Path, http.StatusMovedPermanently)
	}
	toOwn := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://www.secret-town.example/", http.StatusFound)
	}
	onlyRoot := func(w http.ResponseWriter, r *http.Request) { // redirects, but knows its own pages
		if r.URL.Path == "/" {
			elsewhere(w, r)
			return
		}
		http.NotFound(w, r)
	}
	foreign := secure(t, stranger.good(t), ok)
	for name, c := range map[string]struct {
		scheme string
		server *httptest.Server
		plain  http.HandlerFunc // handler on port 80
		want   string
	}{
		"foreign certificate, all pages redirect":      {"https", foreign, elsewhere, "yes"},
		"foreign certificate, every page exists":       {"https", foreign, ok, "unknown"}, // a web application
		"foreign certificate, all redirect to its www": {"https", foreign, toOwn, "unknown"},
		"foreign certificate, 511":                     {"https", foreign, status(511), "yes"},
		"foreign certificate alone":                    {"https", foreign, toTLS, "unknown"},
		"foreign certificate, page not found":          {"https", foreign, status(404), "unknown"},
		"443 closed, 511 on 80":                        {"https", closed(t), status(511), "yes"},
		"443 closed, 80 redirects":                     {"https", closed(t), elsewhere, "unknown"},
		"the server itself":                            {"https", secure(t, ca.good(t), elsewhere), elsewhere, "no"},
		"without TLS, all pages redirect":              {"http", testnet.Server(t, elsewhere), nil, "yes"},
		"without TLS, 511":                             {"http", testnet.Server(t, status(511)), nil, "yes"},
		"without TLS, only the root redirects":         {"http", testnet.Server(t, onlyRoot), nil, "unknown"},
		"without TLS, normal":                          {"http", testnet.Server(t, ok), nil, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := direct(c.scheme, c.server, ca)
			if c.plain != nil {
				conf.plainPort = port(testnet.Server(t, c.plain))
			}
			d, r := run(t, conf, probetest.Env(t))
			got := "unknown"
			if d.CaptivePortal != nil {
				got = map[bool]string{true: "yes", false: "no"}[*d.CaptivePortal]
			}
			if got != c.want || got == "yes" && (r.Status != report.StatusFail || d.ServerHealthy != nil) {
				t.Errorf("got portal %s, want %s; %+v, %+v", got, c.want, r, d)
			}
		})
	}
}

func TestOffline(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
	loopback := testnet.InterfaceWith("lo", net.FlagUp|net.FlagLoopback, "127.0.0.1")
	wlan := testnet.InterfaceWith("wlan0", net.FlagUp, "192.168.178.20")
	down := testnet.InterfaceWith("eth0", 0, "192.168.178.21")
	dnsTimeout := testnet.Lookup(func(context.Context) error { return &net.DNSError{Err: "timeout", IsTimeout: true} })
	for name, c := range map[string]struct {
		net      testnet.Broken
		resolver lookup.Resolver
		want     string
	}{
		"no interface":                {testnet.Broken{OnDial: func(context.Context) error { return unreachable }, Listed: []*transport.Interface{loopback, down}}, dnsTimeout, "offline"},
		"no route, DNS fails":         {testnet.Broken{Listed: []*transport.Interface{loopback, wlan}, RouteErr: unreachable}, dnsTimeout, "offline"},
		"no route, name from cache":   {testnet.Broken{OnDial: func(context.Context) error { return unreachable }, Listed: []*transport.Interface{wlan}, RouteErr: unreachable}, testnet.Names{host: {"203.0.113.1"}}, "offline"},
		"a route, no response":        {testnet.Broken{OnDial: testnet.UntilDone, Listed: []*transport.Interface{wlan}}, testnet.Names{host: {"203.0.113.1"}}, "unknown"},
		"a route, DNS silent":         {testnet.Broken{Listed: []*transport.Interface{wlan}}, dnsTimeout, "unknown"},
		"host unreachable (macOS 15)": {testnet.Broken{OnDial: func(context.Context) error { return syscall.EHOSTUNREACH }, Listed: []*transport.Interface{wlan}}, testnet.Names{host: {"203.0.113.1"}}, "unknown"},
		"connection refused":          {testnet.Broken{OnDial: func(context.Context) error { return syscall.ECONNREFUSED }, Listed: []*transport.Interface{wlan}}, testnet.Names{host: {"203.0.113.1"}}, "online"},
		"loopback target":             {testnet.Broken{OnDial: testnet.UntilDone, Listed: []*transport.Interface{loopback}, RouteErr: unreachable}, testnet.Names{host: {"127.0.0.1"}}, "unknown"},
	} {
		env := probetest.Env(t)
		c.net.Net, env.Net = env.Net, c.net
		conf := direct("https", closed(t), nil)
		conf.Resolver, conf.StepTime = c.resolver, 200*time.Millisecond
		env.Net = c.net
		d, _ := run(t, conf, env)
		got := "unknown"
		if d.Online != nil {
			got = map[bool]string{true: "online", false: "offline"}[*d.Online]
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// TestNoRouteToTheServer: without IPv4, no packet is sent to a server that has no IPv6 address,
// while the line works.
func TestNoRouteToTheServer(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
	wlan := testnet.InterfaceWith("wlan0", net.FlagUp, "192.168.178.20")
	for name, c := range map[string]struct {
		dial func(context.Context) error
		want bool
	}{
		"no route":  {func(context.Context) error { return unreachable }, true},
		"no answer": {testnet.UntilDone, false},
		"refused":   {func(context.Context) error { return syscall.ECONNREFUSED }, false},
	} {
		env := probetest.Env(t)
		env.Net = testnet.Broken{Net: env.Net, OnDial: c.dial, Listed: []*transport.Interface{wlan}} // another address has a route
		conf := direct("https", closed(t), nil)
		conf.Resolver, conf.StepTime = testnet.Names{host: {"203.0.113.1"}}, 200*time.Millisecond
		if d, _ := run(t, conf, env); (d.NoRoute != nil && *d.NoRoute) != c.want || d.Online != nil && !*d.Online {
			t.Errorf("%s: got %+v, want no route: %t", name, d, c.want)
		}
	}
}
