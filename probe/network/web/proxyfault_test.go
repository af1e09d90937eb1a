package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	proxysetting "github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestProxyFaults tests each kind of broken proxy, with and without an open direct
// path. None is blamed on the server.
func TestProxyFaults(t *testing.T) {
	ca, stranger := newAuthority(t, "town"), newAuthority(t, "proxy maker")
	target := secure(t, ca.good(t), ok)
	status := func(code int) string { s, _ := proxyServer(t, "", code); return s.URL }
	gone, _ := proxyServer(t, closed(t).Listener.Addr().String(), 0)
	answers := func(text string) string { return "http://" + says(t, text) }
	own := secure(t, stranger.sign(t, "127.0.0.1", time.Now().Add(-time.Hour), time.Now().Add(time.Hour)), ok)
	for name, c := range map[string]struct{ proxy, want string }{
		"refused":                    {"http://" + closed(t).Listener.Addr().String(), "refused"},
		"name without an address":    {"http://proxy.office.example:3128", "unresolved"},
		"accepts, then silent":       {"http://" + silent(t).Listener.Addr().String(), "silent"},
		"the same with TLS":          {"https://" + silent(t).Listener.Addr().String(), "silent"},
		"the same, SOCKS":            {"socks5://" + silent(t).Listener.Addr().String(), "silent"},
		"its own certificate":        {own.URL, "certificate"},
		"no TLS":                     {"https://" + strings.TrimPrefix(status(200), "http://"), "not_a_proxy"},
		"403":                        {status(403), "forbidden"},
		"451":                        {status(451), "forbidden"},
		"302":                        {status(302), "redirect"},
		"511":                        {status(511), "redirect"},
		"502, server not reached":    {gone.URL, "failing"},
		"503":                        {status(503), "failing"},
		"504":                        {status(504), "failing"},
		"400":                        {status(400), "not_a_proxy"},
		"405":                        {status(405), "not_a_proxy"},
		"501":                        {status(501), "not_a_proxy"},
		"200 and a page":             {answers("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>Welcome</body></html>"), "not_a_proxy"},
		"200 and a page, slowly":     {"http://" + sendsSlowly(t, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", "<html><body>Welcome</body></html>"), "not_a_proxy"},
		"not HTTP":                   {answers("SSH-2.0-OpenSSH_9.9\r\n"), "not_a_proxy"},
		"closes":                     {answers(""), "not_a_proxy"},
		"SOCKS, requires a password": {"socks5://" + says(t, "\x05\xff"), "login"},
		"SOCKS, forbids":             {"socks5://" + says(t, "\x05\x00\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"), "forbidden"},
		"SOCKS, server not reached":  {"socks5://" + says(t, "\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"), "failing"},
		"not SOCKS":                  {"socks5://" + says(t, "HTTP/1.1 400 Bad Request\r\n\r\n"), "not_a_proxy"},
		"unknown kind":               {"gopher://127.0.0.1:1", "unknown_kind"},
	} {
		for _, beside := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, direct %t", name, beside), func(t *testing.T) {
				config := direct("https", target, ca)
				config.Proxies = by(c.proxy)
				if c.want == "silent" {
					t.Parallel()
					config.StepTime = 2 * time.Second // the direct handshake takes longer on a busy machine
				}
				if !beside {
					config.URL = "https://" + host + ":1/"
				}
				d, r := run(t, config, probetest.Env(t))
				if d.ProxyFault != c.want || d.BesideProxy == nil || *d.BesideProxy != beside || r.Status != report.StatusFail ||
					d.ServerHealthy != nil || d.TLSError != "" || d.CaptivePortal != nil {
					t.Errorf("got %+v, %+v, want %s", r, d, c.want)
				}
			})
		}
	}
}

// TestDirectPathMustReachTheServer: a gateway that accepts every connection is not
// a direct path.
func TestDirectPathMustReachTheServer(t *testing.T) {
	config := direct("https", secure(t, newAuthority(t, "hotel").good(t), ok), newAuthority(t, "town"))
	config.Proxies = by("http://" + closed(t).Listener.Addr().String())
	if d, _ := run(t, config, probetest.Env(t)); d.BesideProxy == nil || *d.BesideProxy {
		t.Errorf("got %+v, want no direct path", d)
	}
}

// TestBrokenProxyScript: browsers then connect directly, and so does the probe.
func TestBrokenProxyScript(t *testing.T) {
	ca := newAuthority(t, "town")
	good, dead := direct("https", secure(t, ca.good(t), ok), ca), direct("https", closed(t), ca)
	for name, c := range map[string]struct {
		config Config
		err    error
		want   string
		status report.Status
	}{
		"direct works":              {good, proxysetting.ErrScript, "script", report.StatusOK},
		"no direct path":            {dead, proxysetting.ErrScript, "script", report.StatusFail},
		"not found, direct works":   {good, fmt.Errorf("%w: %w", proxysetting.ErrScript, proxysetting.ErrScriptUnreached), "script_gone", report.StatusOK},
		"not found, no direct path": {dead, errors.Join(proxysetting.ErrScript, proxysetting.ErrScriptUnreached), "script_gone", report.StatusFail},
	} {
		c.config.Proxies = func(context.Context, *url.URL) ([]*url.URL, error) { return nil, c.err }
		if d, r := run(t, c.config, probetest.Env(t)); d.ProxyFault != c.want || r.Status != c.status || d.Proxy != "none" {
			t.Errorf("%s: got %+v, %+v; want proxy fault %q", name, r, d, c.want)
		}
	}
}

// TestDeadProxyBeforeADirectPath tests "PROXY a; DIRECT" of a script if the direct
// path is closed.
func TestDeadProxyBeforeADirectPath(t *testing.T) {
	config := direct("https", closed(t), nil)
	config.Proxies = by("http://"+closed(t).Listener.Addr().String(), "")
	if d, r := run(t, config, probetest.Env(t)); d.ProxyFault != "refused" || r.Status != report.StatusFail {
		t.Errorf("got %+v, %+v; want proxy fault refused", r, d)
	}
}

func TestStatusOfAPlainPageIsNoProxyFault(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }))
	t.Cleanup(s.Close)
	config := direct("http", s, nil)
	config.Proxies = by(s.URL)
	if d, _ := run(t, config, probetest.Env(t)); d.ProxyFault != "" || d.Stage != "http" {
		t.Errorf("got %+v, want no proxy fault", d)
	}
}

// says starts a server that sends text to each client and closes the connection.
func says(t *testing.T, text string) string {
	t.Helper()
	return sendsSlowly(t, text)
}

// sendsSlowly starts a server that sends each further text after the client has sent
// something.
func sendsSlowly(t *testing.T, texts ...string) string {
	t.Helper()
	s := raw(t, func(c net.Conn) {
		buf := make([]byte, 2048)
		for _, text := range texts {
			_, _ = c.Read(buf)
			_, _ = c.Write([]byte(text))
		}
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, _ = c.Read(buf) // so that a reset does not discard the text
		_ = c.Close()
	})
	return s.Listener.Addr().String()
}
