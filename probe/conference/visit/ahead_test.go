package visit_test

import (
	"context"
	"crypto/x509"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestTimeBesideTheAPI: a step that waits for the answer of the API still has its own time when a slow
// API has answered at the last moment.
func TestTimeBesideTheAPI(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	v := visit.New(visit.Config{URL: at, RootCAs: roots, Direct: true}, probetest.Env(t))
	defer v.Close()
	var left time.Duration
	step := v.BeginShared(t.Context(), report.StepSignIn, func(ctx context.Context) visit.Outcome {
		ends, _ := ctx.Deadline()
		left = time.Until(ends)
		return visit.OK()
	})
	v.Do(t.Context(), report.StepAPI, func(ctx context.Context) visit.Outcome {
		if _, err := v.Get(ctx, at, nil); err != nil {
			return visit.Failed(err)
		}
		return visit.OK()
	})
	if !v.Finish(step) || left <= visit.StepTime {
		t.Errorf("the step has %v, want more than %v: %+v", left, visit.StepTime, v.Data.Checks)
	}
}
