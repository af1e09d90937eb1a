package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestHealthyServer(t *testing.T) {
	ca := newAuthority(t, "town")
	d, r := run(t, direct("https", secure(t, ca.good(t), ok), ca), probetest.Env(t))
	if r.Status != report.StatusOK || d.Stage != "http" || !*d.Online || *d.HTTPStatus != 200 || !*d.ServerHealthy || *d.CaptivePortal || d.Proxy != "none" {
		t.Errorf("got %+v, %+v; want a healthy server", r, d)
	}
	for name, ms := range map[string]*float64{"DNS": d.DNSMS, "TCP": d.TCPMS, "TLS": d.TLSMS, "HTTP": d.HTTPMS} {
		if ms == nil || *ms < 0 {
			t.Errorf("%s took %v ms, want a time", name, probetest.Value(ms))
		}
	}
	if d.TLSIntercepted != nil || d.WebSocket != nil {
		t.Error("got a value that was not tested")
	}
}

// TestTargetWithoutSecrets: user and query are not part of the request.
func TestTargetWithoutSecrets(t *testing.T) {
	var asked atomic.Value
	s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.RequestURI + r.Header.Get("Authorization"))
	})
	c := direct("http", s, nil)
	c.URL = strings.Replace(s.URL, "://", "://geheim:geheim@", 1) + "/?token=geheim#geheim"
	if d, r := run(t, c, probetest.Env(t)); r.Status != report.StatusOK || asked.Load() != "/" {
		t.Errorf("got %+v, %+v; requests %v; want Status %v, %q", r, d, asked.Load(), report.StatusOK, "/")
	}
}

func TestPlainServerAndOtherSchemes(t *testing.T) {
	s := testnet.Server(t, ok)
	for _, scheme := range []string{"http", "ws"} {
		d, r := run(t, direct(scheme, s, nil), probetest.Env(t))
		if r.Status != report.StatusOK || d.Stage != "http" || d.TLSMS != nil || d.CaptivePortal != nil {
			t.Errorf("%s: got %+v, %+v; want Status %v, Stage %q, no TLSMS, no CaptivePortal", scheme, r, d, report.StatusOK, "http")
		}
	}
	c := direct("http", s, nil)
	c.URL = s.URL // an address instead of a name: no lookup
	if d, r := run(t, c, probetest.Env(t)); r.Status != report.StatusOK || d.DNSMS != nil || !*d.Online {
		t.Errorf("got %+v, %+v; want no lookup", r, d)
	}
	for _, bad := range []string{"", "rtmp://a.example/live", "https://", "::g", "javascript:alert(1)", "https://" + strings.Repeat("a", 10) + "\x00"} {
		c.URL = bad
		if d, r := run(t, c, probetest.Env(t)); r.Status != report.StatusUnknown || r.Note == "" || d.Stage != "" {
			t.Errorf("%q: got %+v, %+v; want status unknown with a note", bad, r, d)
		}
	}
}

func TestStatusOfTheServer(t *testing.T) {
	for status, want := range map[int]struct {
		healthy bool
		state   report.Status
	}{200: {true, report.StatusOK}, 302: {true, report.StatusOK}, 401: {true, report.StatusOK}, 404: {true, report.StatusOK}, 500: {false, report.StatusFail}, 503: {false, report.StatusFail}} {
		d, r := run(t, direct("http", testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), nil), probetest.Env(t))
		if d.Stage != "http" || *d.HTTPStatus != status || *d.ServerHealthy != want.healthy || r.Status != want.state {
			t.Errorf("%d: got %+v, %+v; want healthy %v, status %s", status, r, d, want.healthy, want.state)
		}
	}
}

func TestDNSFaults(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		want   string
		online bool
		state  report.Status
	}{
		"no such name":         {&net.DNSError{Err: "no such host", Name: host, Server: "192.0.2.53:53", IsNotFound: true}, "not_found", true, report.StatusFail},
		"from the local cache": {&net.DNSError{Err: "no such host", Name: host, Server: "127.0.0.53:53", IsNotFound: true}, "not_found", false, report.StatusFail},
		"refused":              {&net.DNSError{Err: "server misbehaving", Name: host, Server: "192.0.2.53:53"}, "refused", true, report.StatusFail},
		"timeout":              {&net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}, "timeout", false, report.StatusUnknown},
		"os timeout":           {os.ErrDeadlineExceeded, "timeout", false, report.StatusUnknown},
		"other":                {errors.New("lookup " + host + ": odd"), "other", false, report.StatusUnknown},
	} {
		conf := direct("http", closed(t), nil)
		conf.Resolver = testnet.Lookup(func(context.Context) error { return c.err })
		env := probetest.Env(t)
		env.Net = testnet.Broken{Net: env.Net}
		d, r := run(t, conf, env)
		if d.DNSError != c.want || d.Stage != "" || r.Status != c.state || (d.Online != nil && *d.Online) != c.online {
			t.Errorf("%s: got %+v, %+v; want DNS error %q, status %s", name, r, d, c.want, c.state)
		}
	}
}

// TestHangs: each step that hangs ends by its own time limit, without which this test would not
// end, and the result is neither offline nor a fault of the server.
func TestHangs(t *testing.T) {
	ca := newAuthority(t, "town")
	release := make(chan struct{})
	stuck := func(http.ResponseWriter, *http.Request) { <-release }
	slow := secure(t, ca.good(t), stuck)
	t.Cleanup(func() { close(release) })
	hangs := func(f func(*Config, *probe.Env)) func(*Config, *probe.Env) { return f }
	for name, c := range map[string]struct {
		server *httptest.Server
		change func(*Config, *probe.Env)
		stage  string
	}{
		"dns":  {slow, hangs(func(c *Config, _ *probe.Env) { c.Resolver = testnet.Lookup(testnet.UntilDone) }), ""},
		"tcp":  {slow, hangs(func(_ *Config, e *probe.Env) { e.Net = testnet.Broken{Net: e.Net, OnDial: testnet.UntilDone} }), "dns"},
		"tls":  {silent(t), nil, "tcp"},
		"http": {slow, nil, "tls"},
	} {
		conf, env := direct("https", c.server, ca), probetest.Env(t)
		conf.StepTime = 300 * time.Millisecond
		if name == "http" {
			conf.StepTime = 2 * time.Second // the handshake before it takes longer on a busy machine
		}
		if c.change != nil {
			c.change(&conf, &env)
		}
		d, r := run(t, conf, env)
		if d.Stage != c.stage || r.Status != report.StatusUnknown || r.Note == "" || d.TLSError != "" || d.ServerHealthy != nil ||
			d.Online != nil && !*d.Online || d.CaptivePortal != nil {
			t.Errorf("%s hangs: got %+v, %+v, want stage %q, unknown with a note and no fault", name, r, d, c.stage)
		}
	}
}

func TestCancelledBeforeAndDuring(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := New(direct("http", testnet.Server(t, ok), nil)).Run(ctx, probetest.Env(t))
	if err != nil || r.Status == report.StatusOK {
		t.Errorf("got %+v, error %v; want Status other than %v", r, err, report.StatusOK)
	}
	ctx, cancel = context.WithCancel(t.Context())
	conf := direct("http", testnet.Server(t, ok), nil)
	conf.Resolver = testnet.Lookup(func(ctx context.Context) error { cancel(); return testnet.UntilDone(ctx) })
	if r, err = New(conf).Run(ctx, probetest.Env(t)); err != nil || r.Status != report.StatusUnknown {
		t.Errorf("got %+v, error %v; want Status %v", r, err, report.StatusUnknown)
	}
}

func TestAllAddressesAreTried(t *testing.T) {
	s := testnet.Server(t, ok)
	conf := direct("http", s, nil)
	conf.Resolver = testnet.Names{host: {"::1", "127.0.0.9", "127.0.0.1"}} // only the last one accepts connections
	if d, r := run(t, conf, probetest.Env(t)); r.Status != report.StatusOK || *d.TCPMS > 1000 {
		t.Errorf("got %+v, %+v; want status ok within 1000 ms", r, d)
	}
	if d, _ := run(t, direct("http", closed(t), nil), probetest.Env(t)); d.Stage != "dns" || !*d.Online {
		t.Errorf("a refused connection: got %+v; want Stage %q, Online true", d, "dns")
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var asked []string
	s := testnet.Server(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Cookie"))
		http.Redirect(w, r, "/login", http.StatusFound)
	})
	if d, r := run(t, direct("http", s, nil), probetest.Env(t)); r.Status != report.StatusOK || *d.HTTPStatus != 302 || len(asked) != 1 {
		t.Errorf("got %+v, %+v, requests %v; want Status %v, HTTPStatus 302, 1 entry", r, d, asked, report.StatusOK)
	}
}

// TestHostileAnswers checks that each response yields a result.
func TestHostileAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing": "", "not HTTP": "SSH-2.0-OpenSSH\r\n", "half a line": "HTTP/1.1 2",
		"endless interim": strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000),
		"endless header":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 1<<20),
		"odd status":      "HTTP/1.1 099 x\r\n\r\n",
	} {
		s := raw(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, answer)
			_ = c.Close()
		})
		d, r := run(t, direct("http", s, nil), probetest.Env(t))
		if r.Status != report.StatusUnknown || d.Stage != "tcp" || d.ServerHealthy != nil {
			t.Errorf("%s: got %+v, %+v; want Status %v, Stage %q, no ServerHealthy", name, r, d, report.StatusUnknown, "tcp")
		}
	}
}

func TestInterimAnswerIsSkipped(t *testing.T) {
	s := testnet.Server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	})
	if d, _ := run(t, direct("http", s, nil), probetest.Env(t)); *d.HTTPStatus != http.StatusTeapot {
		t.Errorf("got status %d, want %d", *d.HTTPStatus, http.StatusTeapot)
	}
}

func TestNoteContainsNoNames(t *testing.T) {
	conf := direct("http", closed(t), nil)
	conf.Resolver = testnet.Lookup(func(context.Context) error { return fmt.Errorf("lookup %s on 192.168.178.1:53", host) })
	_, r := run(t, conf, probetest.Env(t)) // run checks the note
	if r.Note == "" {
		t.Error("got no note, want one")
	}
}
