package media_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/reflect"
)

// TestRelayOverTLS: nothing but the TLS port is open, and the collector signed
// its certificate itself.
func TestRelayOverTLS(t *testing.T) {
	secure, roots := certificateFor(t)
	r := newReflector(t, func(c *reflect.Config) { c.TLSConfig, c.TURNTLSListen = secure, "127.0.0.1:0" })
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
		_, d := steadily(t, func() (probe.Result, *report.MediaVoice) {
			return measure(t, t.Context(), e, media.VoiceConfig{
				Signaller: withoutTCP{direct{r}}, RootCAs: c.roots, Duration: time.Second, TCPAfter: 500 * time.Millisecond, ICELimit: 3500 * time.Millisecond,
			})
		})
		if d.State != c.state || d.Path != c.path {
			t.Errorf("%s: state %q, path %q; want %q, %q", name, d.State, d.Path, c.state, c.path)
		}
	}
}

// certificateFor signs itself for 127.0.0.1.
func certificateFor(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}
