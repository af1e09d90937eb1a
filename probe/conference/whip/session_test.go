package whip

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
)

// TestCancelledEnd: a check that is cancelled before it requests the record of its stream still
// ends its session, once.
func TestCancelledEnd(t *testing.T) {
	ended := 0
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			ended++
		}
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	v := visit.New(visit.Config{URL: at, Direct: true}, probetest.Env(t))
	defer v.Close()
	s := &session{v: v, location: at}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.end(ctx); err == nil || ended != 0 {
		t.Fatalf("cancelled: got error %v, %d ends; want an error, 0", err, ended)
	}
	s.leave(ctx)
	s.leave(ctx)
	if ended != 1 {
		t.Errorf("got %d ends, want 1", ended)
	}
}
