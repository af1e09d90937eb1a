package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestRequestGoesByTheFirstWayThatAccepts, and directly where the script fails.
func TestRequestGoesByTheFirstWayThatAccepts(t *testing.T) {
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
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(body) != c.want {
			t.Errorf("%s: %s", name, body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "http://host.example/", nil)
	if way, err := script(`throw 1`).ForRequest(r); way != nil || err != nil {
		t.Errorf("a script that throws: %v, %v", way, err)
	}
}
