package rounds

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// moment is when an agent is killed: at a random time after an event that this program observes.
type moment int

// The moments at which something could be lost, and any time.
const (
	whileWriting  moment = iota // its report began to be written
	whileWaiting                // its report is complete on disk
	whileSending                // the collector's side received the request with the report
	whileAnswered               // the collector acknowledged, and the agent has not read that yet
	whileRemoving               // the agent was sent the acknowledgement
	anyTime                     // from the start of the program to the end of a check
	moments
)

var momentNames = [moments]string{
	whileWriting: "while it wrote the report", whileWaiting: "while the report waited", whileSending: "while it sent the report",
	whileAnswered: "acknowledged, not yet read", whileRemoving: "after the acknowledgement", anyTime: "at any time",
}

// fileBegin is the prefix of a file being written, and of a complete report.
var fileBegin = [...]string{whileWriting: ".tmp-0", whileWaiting: "0"}

// within limits the random time from the event to the kill.
var within = [moments]time.Duration{
	whileWriting: 2 * time.Millisecond, whileWaiting: 20 * time.Millisecond, whileSending: 10 * time.Millisecond,
	whileAnswered: time.Millisecond, whileRemoving: 3 * time.Millisecond,
}

// line forwards the agent's requests to the collector and reports the moments of a delivery.
type line struct {
	*httptest.Server

	mu      sync.Mutex
	waiting moment
	reach   func() // called once at the moment
}

func newLine(collector string) (*line, error) {
	to, err := url.Parse(collector)
	if err != nil {
		return nil, fmt.Errorf("the collector's address: %w", err)
	}
	l := &line{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport, proxy.FlushInterval = patient{http.DefaultTransport}, -1 // a response is written at once
	proxy.ModifyResponse = func(resp *http.Response) error {
		if !isDelivery(resp.Request) || resp.StatusCode != http.StatusAccepted {
			return nil
		}
		if l.reached(whileAnswered) {
			<-resp.Request.Context().Done() // the agent is killed before it can read the response
		}
		resp.Body = &acknowledgement{resp.Body, l}
		return nil
	}
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isDelivery(r) {
			l.reached(whileSending)
		}
		proxy.ServeHTTP(w, r)
	}))
	return l, nil
}

// acknowledgement is the body of a response that acknowledges reports.
type acknowledgement struct {
	io.ReadCloser
	line *line
}

// Close is called after the response was written to the agent.
func (a *acknowledgement) Close() error {
	a.line.reached(whileRemoving)
	return a.ReadCloser.Close()
}

// patient repeats the requests that the collector refuses because of its rate limit, which an agent
// that is started many times exceeds.
type patient struct{ http.RoundTripper }

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	if !isDelivery(r) {
		return p.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	for {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := p.RoundTripper.RoundTrip(again)
		if err != nil || resp.StatusCode != http.StatusTooManyRequests {
			return resp, err
		}
		_ = resp.Body.Close()
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func isDelivery(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/api/v1/reports")
}

// await calls reach once at the moment m of the next delivery.
func (l *line) await(m moment, reach func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting, l.reach = m, reach
}

// reached reports whether m is the awaited moment.
func (l *line) reached(m moment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reach == nil || l.waiting != m {
		return false
	}
	l.reach()
	l.reach = nil
	return true
}

// awaitFile polls the folder of the waiting reports until it contains a file with this beginning that
// is not in known; false if ctx is done before. It polls often, because a file that is being written
// exists for a fraction of a millisecond.
func awaitFile(ctx context.Context, dir, begin string, known map[string]bool) bool {
	for ctx.Err() == nil {
		names, err := fileNames(dir)
		for name := range names {
			if err == nil && strings.HasPrefix(name, begin) && !known[name] {
				return true
			}
		}
		time.Sleep(20 * time.Microsecond)
	}
	return false
}

func fileNames(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the agent's spool: %w", err)
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names, nil
}
