package peer

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestForwardingHeadersAreBelievedOnlyFromTrustedNetworks(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for name, c := range map[string]struct {
		remote, forwarded, proto string
		addr                     string
		tls                      bool
	}{
		"direct":                    {"203.0.113.9:4711", "", "", "203.0.113.9", false},
		"stranger forges":           {"203.0.113.9:4711", "192.0.2.1", "https", "203.0.113.9", false},
		"own proxy":                 {"10.1.1.1:80", "192.0.2.1", "https", "192.0.2.1", true},
		"client forges a first hop": {"10.1.1.1:80", "1.1.1.1, 192.0.2.1", "https", "192.0.2.1", true},
		"two own proxies":           {"10.1.1.1:80", "192.0.2.1, 10.2.2.2", "", "192.0.2.1", false},
		"garbage stops there":       {"10.1.1.1:80", "192.0.2.1, <script>", "", "10.1.1.1", false},
		"own proxy over IPv6":       {"[::1]:80", "2001:db8::7", "HTTPS", "2001:db8::7", true},
		"mapped":                    {"[::ffff:10.1.1.1]:80", "::ffff:192.0.2.1", "", "192.0.2.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			r.Header.Set("X-Forwarded-Proto", c.proto)
			Resolve(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if got := Addr(r).String(); got != c.addr {
					t.Errorf("got address %s, want %s", got, c.addr)
				}
				if TLS(r) != c.tls {
					t.Errorf("got TLS %v, want %v", TLS(r), c.tls)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}
