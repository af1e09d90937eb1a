package web

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
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
		"not yet good":      {secure(t, ca.sign(t, host, now.AddDate(0, 1, 0), now.AddDate(0, 2, 0)), ok), "expired"},
		"no TLS there":      {testnet.Server(t, ok), "protocol"},
	} {
		d, r := run(t, direct("https", c.server, ca), probetest.Env(t))
		if d.TLSError != c.want || d.Stage != "tcp" || r.Status != report.StatusFail || !*d.Online || d.ServerHealthy != nil || d.HTTPStatus != nil {
			t.Errorf("%s: %+v, %+v", name, r, d)
		}
		if got := d.TLSIntercepted != nil && *d.TLSIntercepted; got != (name == "another authority") {
			t.Errorf("%s: intercepted %v", name, d.TLSIntercepted)
		}
		// An untrusted server shows only that its clock agrees with ours.
		if agrees := c.want == "expired"; (d.ClockOffsetMS != nil) != agrees || agrees && math.Abs(*d.ClockOffsetMS) > float64(agreeWithin.Milliseconds()) {
			t.Errorf("%s: the clock is off by %v", name, d.ClockOffsetMS)
		}
	}
}

// TestTrustedInspection: the municipality's own middlebox, whose authority is
// installed.
func TestTrustedInspection(t *testing.T) {
	ca := newAuthority(t, "Sophos SSL CA")
	d, _ := run(t, direct("https", secure(t, ca.good(t), ok), ca), probetest.Env(t))
	if d.Stage != "http" || d.TLSIntercepted == nil || !*d.TLSIntercepted {
		t.Errorf("%+v", d)
	}
}

// shifted is a clock with an offset.
type shifted struct {
	probe.SystemClock
	offset time.Duration
}

func (c shifted) Now() time.Time { return time.Now().Add(c.offset) }

func TestClockOffset(t *testing.T) {
	header := func(set func(h http.Header, now time.Time)) *httptest.Server {
		return testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) { set(w.Header(), time.Now()) })
	}
	ms := header(func(h http.Header, now time.Time) { h.Set(wire.HeaderTimeMS, strconv.FormatInt(now.UnixMilli(), 10)) })
	date := header(func(http.Header, time.Time) {})
	for _, wrong := range []time.Duration{0, 5 * time.Minute, -90 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		for name, s := range map[string]*httptest.Server{"ms": ms, "date": date} {
			env := probetest.Env(t)
			env.Clock = shifted{offset: wrong}
			d, _ := run(t, direct("http", s, nil), env)
			if d.ClockOffsetMS == nil || d.ClockUncertaintyMS == nil {
				t.Fatalf("%s, %s: %+v", name, wrong, d)
			}
			// One ms more, because the header is truncated to whole ms.
			if off := math.Abs(*d.ClockOffsetMS - float64(wrong.Milliseconds())); off > *d.ClockUncertaintyMS+1 {
				t.Errorf("%s, %s: off by %g ms, stated ±%g", name, wrong, off, *d.ClockUncertaintyMS)
			}
			if name == "date" && *d.ClockUncertaintyMS < 500 {
				t.Errorf("a Date is good to ±%g ms", *d.ClockUncertaintyMS)
			}
		}
	}
	for name, s := range map[string]*httptest.Server{
		"cached":   header(func(h http.Header, _ time.Time) { h.Set("Age", "86400") }),
		"nonsense": header(func(h http.Header, _ time.Time) { h.Set("Date", "yesterday"); h.Set(wire.HeaderTimeMS, "-1e9") }),
	} {
		if d, _ := run(t, direct("http", s, nil), probetest.Env(t)); d.ClockOffsetMS != nil {
			t.Errorf("%s: offset %g", name, *d.ClockOffsetMS)
		}
	}
}

func TestClockOffsetArithmetic(t *testing.T) {
	sent := time.Date(2026, 3, 4, 12, 0, 10, 0, time.UTC)
	round := 80 * time.Millisecond
	for name, c := range map[string]struct {
		received            time.Time
		server              time.Time
		resolution          time.Duration
		offset, uncertainty time.Duration
		ok                  bool
	}{
		"exact":          {sent.Add(round), sent.Add(40 * time.Millisecond), 0, 0, 40 * time.Millisecond, true},
		"we are fast":    {sent.Add(round), sent.Add(40*time.Millisecond - time.Minute), 0, time.Minute, 40 * time.Millisecond, true},
		"we are slow":    {sent.Add(round), sent.Add(40*time.Millisecond + time.Minute), 0, -time.Minute, 40 * time.Millisecond, true},
		"whole seconds":  {sent.Add(round), sent, time.Second, -460 * time.Millisecond, 540 * time.Millisecond, true},
		"set forward":    {sent.Add(round + time.Hour), sent, 0, 0, 0, false},
		"set back":       {sent.Add(round - time.Hour), sent, 0, 0, 0, false},
		"slewed by 1 ms": {sent.Add(round + time.Millisecond), sent.Add(40 * time.Millisecond), 0, 0, 40 * time.Millisecond, true},
	} {
		offset, uncertainty, ok := clockOffset(sent, c.received, round, c.server, c.resolution)
		if ok != c.ok || offset != c.offset || uncertainty != c.uncertainty {
			t.Errorf("%s: %s ± %s, %t", name, offset, uncertainty, ok)
		}
	}
}

// TestOldCertificateOrWrongClock: if a chain is valid at the server's time, this
// computer's clock is wrong.
func TestOldCertificateOrWrongClock(t *testing.T) {
	ca := newAuthority(t, "town")
	then := time.Now().AddDate(-2, 0, 0)
	cert := ca.sign(t, host, then.AddDate(0, -1, 0), then.AddDate(0, 1, 0))
	s := secure(t, cert, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(wire.HeaderTimeMS, strconv.FormatInt(then.UnixMilli(), 10))
	})
	d, _ := run(t, direct("https", s, ca), probetest.Env(t))
	if d.TLSError != "expired" || d.ClockOffsetMS == nil || *d.ClockOffsetMS < 700*24*3600*1000 {
		t.Errorf("%+v", d)
	}
}

// TestWhichClockIsWrong: if the server's clock differs from ours, a third one
// decides.
func TestWhichClockIsWrong(t *testing.T) {
	ca := newAuthority(t, "town")
	tells := func(off time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		}
	}
	const hour = time.Hour
	for name, c := range map[string]struct {
		server, collector, router time.Duration
		built                     time.Duration // relative to now, in the past
		want                      string
	}{
		"all agree":                         {0, 0, 0, 0, ""},
		"a few seconds":                     {20 * time.Second, 0, 0, 0, ""},
		"the collector says the same":       {hour, hour, 0, 0, "true"},
		"the collector says as we do":       {hour, 0, hour, 0, "false"},
		"only the router, the same":         {hour, 9 * hour, hour, 0, "true"},
		"only the router, as we do":         {hour, 9 * hour, 0, 0, "false"},
		"everybody says something else":     {hour, 2 * hour, 3 * hour, 0, ""},
		"this program was made later":       {3 * 8760 * hour, 0, 0, 2 * 8760 * hour, "true"},
		"it was made before, as it must be": {-hour, 9 * hour, 9 * hour, -8760 * hour, ""},
	} {
		config := direct("https", secure(t, ca.good(t), tells(c.server)), ca)
		config.CollectorURL = "https://" + host + ":" + port(secure(t, ca.good(t), tells(c.collector)))
		config.plainPort = port(testnet.Server(t, tells(c.router)))
		config.Router = func(context.Context) netip.Addr { return netip.MustParseAddr("127.0.0.1") }
		if c.built != 0 {
			config.Built = time.Now().Add(c.built)
		}
		d, _ := run(t, config, probetest.Env(t))
		got := ""
		if d.ClockConfirmed != nil {
			got = strconv.FormatBool(*d.ClockConfirmed)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%+v)", name, got, c.want, d)
		}
	}
}

// TestExpiredCertificate: the server's clock agrees with ours, so no clock is
// wrong.
func TestExpiredCertificate(t *testing.T) {
	ca := newAuthority(t, "town")
	cert := ca.sign(t, host, time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, -1, 0))
	d, _ := run(t, direct("https", secure(t, cert, ok), ca), probetest.Env(t))
	if d.TLSError != "expired" || d.ClockOffsetMS == nil || math.Abs(*d.ClockOffsetMS) > 5000 || d.ClockConfirmed != nil {
		t.Errorf("%+v", d)
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
		"foreign certificate, all pages lead elsewhere": {"https", foreign, elsewhere, "yes"},
		"foreign certificate, every page is there":      {"https", foreign, ok, "unknown"}, // a web application
		"foreign certificate, all lead to its www":      {"https", foreign, toOwn, "unknown"},
		"foreign certificate, 511":                      {"https", foreign, status(511), "yes"},
		"foreign certificate alone":                     {"https", foreign, toTLS, "unknown"},
		"foreign certificate, page not found":           {"https", foreign, status(404), "unknown"},
		"443 shut, 511 on 80":                           {"https", closed(t), status(511), "yes"},
		"443 shut, 80 leads elsewhere":                  {"https", closed(t), elsewhere, "unknown"},
		"the server itself":                             {"https", secure(t, ca.good(t), elsewhere), elsewhere, "no"},
		"without TLS, all pages lead elsewhere":         {"http", testnet.Server(t, elsewhere), nil, "yes"},
		"without TLS, 511":                              {"http", testnet.Server(t, status(511)), nil, "yes"},
		"without TLS, only the root leads elsewhere":    {"http", testnet.Server(t, onlyRoot), nil, "unknown"},
		"without TLS, normal":                           {"http", testnet.Server(t, ok), nil, "unknown"},
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
				t.Errorf("portal %s, want %s; %+v, %+v", got, c.want, r, d)
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
		"a way, and only silence":     {testnet.Broken{OnDial: testnet.UntilDone, Listed: []*transport.Interface{wlan}}, testnet.Names{host: {"203.0.113.1"}}, "unknown"},
		"a way, and DNS is silent":    {testnet.Broken{Listed: []*transport.Interface{wlan}}, dnsTimeout, "unknown"},
		"host unreachable (macOS 15)": {testnet.Broken{OnDial: func(context.Context) error { return syscall.EHOSTUNREACH }, Listed: []*transport.Interface{wlan}}, testnet.Names{host: {"203.0.113.1"}}, "unknown"},
		"somebody refused":            {testnet.Broken{OnDial: func(context.Context) error { return syscall.ECONNREFUSED }, Listed: []*transport.Interface{wlan}}, testnet.Names{host: {"203.0.113.1"}}, "online"},
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
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// proxyServer is an HTTP proxy that connects all tunnels to the address to.
func proxyServer(t *testing.T, to string, refuse int) (*httptest.Server, *[]string) {
	var seen []string
	s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
		if refuse != 0 {
			w.WriteHeader(refuse)
			return
		}
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusOK)
			return
		}
		out, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		in, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = fmt.Fprint(in, "HTTP/1.1 200 Connection established\r\n\r\n")
		go pipe(in, out)
		pipe(out, in)
	})
	return s, &seen
}

func pipe(to, from net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		_, _ = to.Write(buf[:n])
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

func TestProxies(t *testing.T) {
	ca := newAuthority(t, "town")
	target := secure(t, ca.good(t), ok)
	via := func(scheme string, s *httptest.Server) Config {
		conf := direct("https", target, ca)
		conf.Resolver = testnet.Names{} // the proxy resolves the target's name
		conf.Proxies = by(scheme + "://anna:geheim@" + s.Listener.Addr().String())
		return conf
	}
	t.Run("http", func(t *testing.T) {
		s, seen := proxyServer(t, target.Listener.Addr().String(), 0)
		d, r := run(t, via("http", s), probetest.Env(t))
		if r.Status != report.StatusOK || d.Proxy != "http" || d.Stage != "http" {
			t.Errorf("%+v, %+v", r, d)
		}
		if len(*seen) != 1 || !strings.HasPrefix((*seen)[0], "CONNECT "+host+":") || !strings.Contains((*seen)[0], "Basic ") {
			t.Errorf("the proxy saw %q", *seen)
		}
	})
	t.Run("http for a page without TLS", func(t *testing.T) {
		s, seen := proxyServer(t, "", 0)
		conf := via("http", s)
		conf.URL = "http://" + host + "/x"
		if d, r := run(t, conf, probetest.Env(t)); r.Status != report.StatusOK || d.Stage != "http" || !strings.HasPrefix((*seen)[0], "GET http://"+host+"/x") {
			t.Errorf("%+v, %+v, %q", r, d, *seen)
		}
	})
	t.Run("wants a password", func(t *testing.T) {
		s, _ := proxyServer(t, "", http.StatusProxyAuthRequired)
		if d, r := run(t, via("http", s), probetest.Env(t)); r.Status != report.StatusFail || *d.HTTPStatus != 407 || d.Stage != "tcp" || d.ServerHealthy != nil {
			t.Errorf("%+v, %+v", r, d)
		}
	})
	t.Run("socks5", func(t *testing.T) {
		d, r := run(t, via("socks5h", socks(t, target.Listener.Addr().String())), probetest.Env(t))
		if r.Status != report.StatusOK || d.Proxy != "socks5" {
			t.Errorf("%+v, %+v", r, d)
		}
	})
}

// TestProxiesAreTriedInOrder tests the meaning of "PROXY a; PROXY b; DIRECT".
func TestProxiesAreTriedInOrder(t *testing.T) {
	ca := newAuthority(t, "town")
	target := secure(t, ca.good(t), ok)
	alive, _ := proxyServer(t, target.Listener.Addr().String(), 0)
	dead := closed(t).Listener.Addr().String()
	for name, c := range map[string]struct {
		ways []string
		want string
	}{
		"second":             {[]string{"http://" + dead, alive.URL, ""}, "http"},
		"direct at last":     {[]string{"http://" + dead, "http://no.such.example:1", "gopher://x:1", ""}, "none"},
		"direct first":       {[]string{"", alive.URL}, "none"},
		"refused is no dead": {[]string{alive.URL, "http://" + dead}, "http"},
	} {
		conf := direct("https", target, ca)
		conf.Proxies = by(c.ways...)
		if d, r := run(t, conf, probetest.Env(t)); r.Status != report.StatusOK || d.Proxy != c.want || d.DNSError != "" {
			t.Errorf("%s: %+v, %+v", name, r, d)
		}
	}
}

func TestProxyFromTheEnvironment(t *testing.T) {
	s, seen := proxyServer(t, "", 0)
	t.Setenv("HTTP_PROXY", s.URL)
	t.Setenv("NO_PROXY", "")
	d, _ := run(t, Config{URL: "http://" + host + "/"}, probetest.Env(t))
	if d.Proxy != "http" || len(*seen) != 1 {
		t.Errorf("%+v, %q", d, *seen)
	}
}

// socks is a SOCKS5 proxy (RFC 1928) that requires the password of RFC 1929.
func socks(t *testing.T, to string) *httptest.Server {
	t.Helper()
	return raw(t, func(in net.Conn) {
		buf := make([]byte, 512)
		_, _ = in.Read(buf)
		_, _ = in.Write([]byte{5, 2})
		_, _ = in.Read(buf)
		_, _ = in.Write([]byte{1, 0})
		_, _ = in.Read(buf)
		_, _ = in.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		out, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		go pipe(in, out)
		pipe(out, in)
	})
}
