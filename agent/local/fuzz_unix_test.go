//go:build unix

package local

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// FuzzRequests sends arbitrary requests of a program to the service, which answers each with
// a result or a fault in the form that programs read.
func FuzzRequests(f *testing.F) {
	for _, path := range []string{
		pathStatus, pathSelfCheck, pathReports, pathReports + "/x", pathEvents + "?since=2026-03-02T18:00:00Z", pathHistory + "?at=x", pathLog,
	} {
		f.Add(false, path, []byte(nil))
	}
	f.Add(true, pathEnroll, []byte(`{"server":"https://a.example","code":"K7P3QX9A","pins":{}}`))
	f.Add(true, pathAdopt, []byte(`{"agent_id":"x","enrolment":{"token":"t"}}`))
	f.Add(true, pathReports, []byte(`{"report":{"schema":"tonprobe.report/v1"},"declined":true}`))
	f.Add(true, pathReports, []byte(`{"report":null}`))
	f.Fuzz(func(t *testing.T, post bool, path string, body []byte) {
		method := http.MethodGet
		if post {
			method = http.MethodPost
		}
		ctx := context.WithValue(t.Context(), peerKey{}, Peer{Account: "anna", Person: true})
		r, err := http.NewRequestWithContext(ctx, method, "http://"+host, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := r.URL.Parse(path)
		if err != nil || parsed.Host != host {
			return
		}
		r.URL = parsed
		w := httptest.NewRecorder()
		s := &Server{Agent: &fakeAgent{}, Log: slog.New(slog.DiscardHandler)}
		s.handler().ServeHTTP(w, r)
		if w.Header().Get(headerFault) == "" {
			return
		}
		var got fault
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Code == "" || w.Code < 400 {
			t.Errorf("%s %q %q: status %d, %q: %v", method, path, body, w.Code, w.Body, err)
		}
	})
}

// FuzzAnswers reads arbitrary answers of whatever listens on the socket.
func FuzzAnswers(f *testing.F) {
	f.Add(200, []byte(`{"events":[{"at":"2026-03-02T18:00:00Z","kind":"exploded"}],"damaged":-1}`))
	f.Add(200, []byte(`{"reports":[{"id":"../x","state":"../","bytes":-1}],"counts":{"lost":-3}}`))
	f.Add(503, []byte(`{"code":"busy","detail":"\u202e"}`))
	f.Add(302, []byte(`null`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 999 {
			return
		}
		c := NewClient("")
		c.http = &http.Client{Transport: answering(func(*http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			w.WriteHeader(status)
			_, _ = w.Write(body)
			return w.Result(), nil
		})}
		got, err := c.Events(t.Context(), time.Time{})
		for _, e := range got.Events {
			if !e.Valid() {
				t.Errorf("%q: got %+v, want only valid events", body, e)
			}
		}
		if err == nil && status != http.StatusOK {
			t.Errorf("status %d: got no error, want one", status)
		}
		if h, err := c.History(t.Context(), time.Time{}); err == nil && !h.Valid() {
			t.Errorf("%q: got %+v, want a valid history or an error", body, h)
		}
		_, _ = c.Status(t.Context())
		_, _ = c.Reports(t.Context())
		_, _ = c.Log(t.Context())
	})
}

type answering func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }
