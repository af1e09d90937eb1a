package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"syscall"
	"testing"
)

// TestRequestUsesTheFirstOpenProxy also checks that a request is sent directly if
// the script fails.
func TestRequestUsesTheFirstOpenProxy(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "direct") }))
	t.Cleanup(target.Close)
	through := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "by proxy for "+r.URL.Host) }))
	t.Cleanup(through.Close)
	script := func(result string) *Finder { return finder(t, `function FindProxyForURL() { `+result+` }`) }
	for name, c := range map[string]struct {
		finder    *Finder
		url, want string
	}{
		"a dead one first":   {script(`return "PROXY 127.0.0.1:1; PROXY ` + through.Listener.Addr().String() + `; DIRECT"`), "http://host.example/", "by proxy for host.example"},
		"the only one":       {script(`return "PROXY ` + through.Listener.Addr().String() + `"`), "http://host.example/", "by proxy for host.example"},
		"to this computer":   {script(`return "PROXY 127.0.0.1:1"`), target.URL, "direct"},
		"script that throws": {script(`throw 1`), target.URL, "direct"},
	} {
		client := &http.Client{Transport: &http.Transport{Proxy: c.finder.ForRequest}}
		resp, err := client.Get(c.url)
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(body) != c.want {
			t.Errorf("%s: got %s, want %s", name, body, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://host.example/", nil)
	if way, err := script(`throw 1`).ForRequest(r); way != nil || err != nil {
		t.Errorf("a script that throws: got %v, error %v; want nil", way, err)
	}
}

// TestDeadProxyIsIgnored checks that a proxy that does not answer is ignored if the
// server itself is reachable: a laptop from the office must be able to send its report
// from home.
func TestDeadProxyIsIgnored(t *testing.T) {
	for name, c := range map[string]struct {
		open    []string
		want    string
		tooMany int // limit of connections for two requests
	}{
		"the proxy works":      {[]string{"proxy.office.example:3128", "ton.example.org:443"}, "http://proxy.office.example:3128", 1},
		"it is dead":           {[]string{"ton.example.org:443"}, "direct", 3},
		"nothing is open":      {nil, "http://proxy.office.example:3128", 4},
		"the server is closed": {[]string{"proxy.office.example:3128"}, "http://proxy.office.example:3128", 1},
	} {
		dials := 0
		f := NewFinder(Config{
			Getenv: func(string) string { return "" },
			System: func(context.Context) (Settings, error) {
				return Settings{HTTPS: parse(t, "http://proxy.office.example:3128")}, nil
			},
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				dials++
				if !slices.Contains(c.open, address) {
					return nil, syscall.ECONNREFUSED
				}
				here, there := net.Pipe()
				_ = there.Close()
				return here, nil
			},
		})
		for range 2 {
			way, err := f.ForRequest(httptest.NewRequest(http.MethodGet, "https://ton.example.org/", nil))
			if err != nil || written([]*url.URL{way}) != c.want {
				t.Errorf("%s: got %v, error %v; want %s", name, way, err, c.want)
			}
		}
		if dials > c.tooMany {
			t.Errorf("%s: got %d connections, want at most %d", name, dials, c.tooMany)
		}
	}
}
