package web

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

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
			t.Errorf("got %+v, %+v; want status ok through http", r, d)
		}
		if len(*seen) != 1 || !strings.HasPrefix((*seen)[0], "CONNECT "+host+":") || !strings.Contains((*seen)[0], "Basic ") {
			t.Errorf("the proxy received %q", *seen)
		}
	})
	t.Run("http for a page without TLS", func(t *testing.T) {
		s, seen := proxyServer(t, "", 0)
		conf := via("http", s)
		conf.URL = "http://" + host + "/x"
		if d, r := run(t, conf, probetest.Env(t)); r.Status != report.StatusOK || d.Stage != "http" || !strings.HasPrefix((*seen)[0], "GET http://"+host+"/x") {
			t.Errorf("got %+v, %+v, requests %q, want ok and a GET with the whole address", r, d, *seen)
		}
	})
	t.Run("requires a password", func(t *testing.T) {
		s, _ := proxyServer(t, "", http.StatusProxyAuthRequired)
		if d, r := run(t, via("http", s), probetest.Env(t)); r.Status != report.StatusFail || *d.HTTPStatus != 407 || d.Stage != "tcp" || d.ServerHealthy != nil {
			t.Errorf("got %+v, %+v; want status fail, 407", r, d)
		}
	})
	t.Run("socks5", func(t *testing.T) {
		d, r := run(t, via("socks5h", socks(t, target.Listener.Addr().String())), probetest.Env(t))
		if r.Status != report.StatusOK || d.Proxy != "socks5" {
			t.Errorf("got %+v, %+v; want status ok through socks5", r, d)
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
		"second":                          {[]string{"http://" + dead, alive.URL, ""}, "http"},
		"direct at last":                  {[]string{"http://" + dead, "http://no.such.example:1", "gopher://x:1", ""}, "none"},
		"direct first":                    {[]string{"", alive.URL}, "none"},
		"a refusal does not use the next": {[]string{alive.URL, "http://" + dead}, "http"},
	} {
		conf := direct("https", target, ca)
		conf.Proxies = by(c.ways...)
		if d, r := run(t, conf, probetest.Env(t)); r.Status != report.StatusOK || d.Proxy != c.want || d.DNSError != "" {
			t.Errorf("%s: got %+v, %+v; want proxy %q", name, r, d, c.want)
		}
	}
}

func TestProxyFromTheEnvironment(t *testing.T) {
	s, seen := proxyServer(t, "", 0)
	t.Setenv("HTTP_PROXY", s.URL)
	t.Setenv("NO_PROXY", "")
	d, _ := run(t, Config{URL: "http://" + host + "/"}, probetest.Env(t))
	if d.Proxy != "http" || len(*seen) != 1 {
		t.Errorf("got %+v, requests %q; want one through the proxy", d, *seen)
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
