package web

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestBesideProxy: the page is loaded through the proxy; the server accepts direct
// connections, refuses them, or does not respond.
func TestBesideProxy(t *testing.T) {
	page := testnet.Server(t, ok)
	proxy := httptest.NewServer(http.HandlerFunc(ok)) // it responds instead of the server
	t.Cleanup(proxy.Close)
	here := strings.TrimPrefix(page.URL, "http://")
	_, port, _ := net.SplitHostPort(proxy.Listener.Addr().String())
	for name, c := range map[string]struct {
		server string
		known  testnet.Names
		want   string
	}{
		"reached":        {here, testnet.Names{host: {farAway}}, "yes"},
		"refused":        {"127.0.0.1:1", testnet.Names{host: {farAway}}, "no"},
		"silent":         {swallowed, testnet.Names{host: {farAway}}, "no"},
		"name not known": {here, testnet.Names{}, "unknown"},
	} {
		config := direct("http", page, nil)
		config.URL, config.Resolver, config.StepTime = "http://"+host+"/", c.known, time.Second
		config.Proxies = by("http://127.0.0.1:" + port)
		env := probetest.Env(t)
		env.Net = mapped{env.Net, map[string]string{"127.0.0.1:" + port: "127.0.0.1:" + port, farAway + ":80": c.server}}
		d, r := run(t, config, env)
		got := "unknown"
		if d.BesideProxy != nil {
			got = map[bool]string{true: "yes", false: "no"}[*d.BesideProxy]
		}
		if d.Stage != stageHTTP || d.Proxy != "http" || got != c.want {
			t.Errorf("%s: got %s, want %s: %+v, %+v", name, got, c.want, d, r)
		}
	}
}
