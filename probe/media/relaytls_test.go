package media_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/oneport"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// TestRelayOverTLS: only the TLS port is open, and the collector's certificate is
// self-signed.
func TestRelayOverTLS(t *testing.T) {
	t.Parallel()
	secure, roots := probetest.Certificate(t)
	r := newReflector(t, func(c *reflector.Config) { c.TLSConfig, c.TURNTLSListen = secure, "127.0.0.1:0" })
	var port int
	for _, s := range r.ICE("owner", "127.0.0.1").ICEServers {
		for _, u := range s.URLs {
			if rest, ok := strings.CutPrefix(u, "turns:127.0.0.1:"); ok {
				port, _ = strconv.Atoi(strings.TrimSuffix(rest, "?transport=tcp"))
			}
		}
	}
	e := env()
	e.Net = newFirewall(t, all, func(p int) bool { return p != port })
	for name, c := range map[string]struct {
		roots *x509.CertPool
		path  string
		state report.MediaState
	}{
		"trusted":     {roots, "relay tls", report.MediaComplete},
		"not trusted": {x509.NewCertPool(), "", report.MediaICEFailed},
	} {
		_, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
			return measure(t, t.Context(), e, media.VoiceConfig{
				Signaller: withoutTCP{direct{r}}, RootCAs: c.roots, Duration: time.Second, TCPAfter: 500 * time.Millisecond, ICELimit: 3500 * time.Millisecond,
			})
		})
		if d.State != c.state || d.Path != c.path {
			t.Errorf("%s: got state %q, path %q; want %q, %q", name, d.State, d.Path, c.state, c.path)
		}
	}
}

// TestVoiceOverTheWebPort: only the port that HTTPS and TURN over TLS share is
// open.
func TestVoiceOverTheWebPort(t *testing.T) {
	t.Parallel()
	secure, roots := probetest.Certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shared := oneport.New(l, secure, oneport.Limits{})
	t.Cleanup(func() { _ = shared.Close() })
	port := l.Addr().(*net.TCPAddr).Port
	r := newReflector(t, func(c *reflector.Config) { c.WebTURN, c.WebPort = shared.TURN(), uint16(port) })
	web := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = web.Serve(shared.HTTP()) }()
	e := env()
	e.Net = newFirewall(t, all, func(p int) bool { return p != port })
	_, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		return measure(t, t.Context(), e, media.VoiceConfig{
			Signaller: withoutTCP{direct{r}}, RootCAs: roots, Duration: time.Second, TCPAfter: 500 * time.Millisecond, ICELimit: 3500 * time.Millisecond,
		})
	})
	if d.State != report.MediaComplete || d.Path != "relay tls" {
		t.Errorf("got state %q, path %q; want %q, %q", d.State, d.Path, report.MediaComplete, "relay tls")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("HTTPS on the same port: got status %s, want 404", resp.Status)
	}
}
