package check

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/tonprobe/tonprobe/probe/network/proxy"
)

// TestProxyScriptIsFetchedOnce: the connections to the collector and network.web use one
// proxy script.
func TestProxyScriptIsFetchedOnce(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	s := sources{proxies: proxy.NewFinder(proxy.Config{
		Getenv: func(string) string { return "" },
		System: func(context.Context) (proxy.Settings, error) { return proxy.Settings{ScriptURL: server.URL}, nil },
	})}
	at := &url.URL{Scheme: "https", Host: "collector.example.org"}
	s = s.withCollector(t.Context(), &Collector{URL: at.String(), Token: "t"}, at)
	for range 2 {
		if _, err := s.transport.Proxy(&http.Request{URL: at}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.proxies.Find(t.Context(), at); err == nil {
		t.Error("a script that is missing was used")
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("the script was fetched %d times, want once", n)
	}
}
