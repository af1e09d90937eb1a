package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// TestArrivalsAreReported: the uploads of a run are reported while the stream is open, each
// byte once, and none of another run.
func TestArrivalsAreReported(t *testing.T) {
	g := newRig(t)
	token := g.enrolled("A").Token
	s := httptest.NewServer(g.handler)
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open := func(run string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/"+wire.PathLoadArrivals+"?run="+run, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	if resp := open(""); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("without a run: got status %d, want %d", resp.StatusCode, http.StatusBadRequest)
	}
	told := open("one")
	if told.StatusCode != http.StatusOK || told.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("got status %d, headers %v; want 200, not buffered by proxies", told.StatusCode, told.Header)
	}
	if resp := open("two"); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a second concurrent run: got status %d, want %d", resp.StatusCode, http.StatusTooManyRequests)
	}
	upload := func(run string, n int) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/"+wire.PathLoad+"?run="+run, bytes.NewReader(make([]byte, n)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", bytesType)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	upload("two", 70_000)
	upload("one", 100_000)
	upload("one", 50_000)
	sum, next := int64(0), 0
	lines := bufio.NewScanner(told.Body)
	for sum < 150_000 && lines.Scan() {
		var a wire.LoadArrivals
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil || a.From != next {
			t.Fatalf("got %s, error %v, want from %d", lines.Bytes(), err, next)
		}
		for _, n := range a.Bytes {
			sum += n
		}
		next += len(a.Bytes)
		if sum == 150_000 && a.FirstEnd == nil {
			t.Error("the end of the first upload was not reported")
		}
	}
	if sum != 150_000 {
		t.Errorf("got %d bytes reported, want 150000", sum)
	}
}

// TestArrivalsAreBounded: a run has no more intervals than a transfer may last.
func TestArrivalsAreBounded(t *testing.T) {
	r := &loadRun{begin: time.Now().Add(-2 * loadLimit)}
	upload, end := r.start(nil)
	upload.read(1000)
	end()
	if got := r.since(0); len(r.bytes) != 0 || len(got.Bytes) > int(loadLimit/wire.LoadInterval) {
		t.Errorf("got %d intervals stored, %d reported, want 0 stored and at most %d", len(r.bytes), len(got.Bytes), int(loadLimit/wire.LoadInterval))
	}
	var none *loadRun
	upload, end = none.start(nil)
	upload.read(1)
	end()
	none.ended()
}
