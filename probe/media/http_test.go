package media_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/report"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/reflector"
)

func newHTTP(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// echoAPI is a minimal collector for the echo.
func echoAPI(r *reflector.Reflector) http.HandlerFunc {
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	mux.HandleFunc("GET /api/v1/ice", func(w http.ResponseWriter, _ *http.Request) { reply(w, r.ICE("a", "127.0.0.1")) })
	mux.HandleFunc("POST /api/v1/echo", func(w http.ResponseWriter, q *http.Request) {
		offer, _ := io.ReadAll(q.Body)
		id, answer, err := r.Offer(q.Context(), "a", string(offer))
		if errors.Is(err, reflector.ErrBadOffer) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", wire.MediaTypeSDP)
		w.Header().Set("Location", "/api/v1/echo/"+id)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("DELETE /api/v1/echo/{id}", func(w http.ResponseWriter, q *http.Request) {
		log, err := r.End("a", q.PathValue("id"))
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		reply(w, log)
	})
	return mux.ServeHTTP
}

func TestHTTPSignallerRefusesInvalidResponses(t *testing.T) {
	var answer atomic.Pointer[http.HandlerFunc]
	server := newHTTP(t, func(w http.ResponseWriter, r *http.Request) { (*answer.Load())(w, r) })
	base, _ := url.Parse(server)
	s := &media.HTTPSignaller{Base: base, Token: "secret"}
	reply := func(status int, header map[string]string, body string) {
		f := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
		answer.Store(&f)
	}
	isSignal := func(name string, err error) {
		t.Helper()
		var e *media.SignalError
		if !errors.As(err, &e) {
			t.Errorf("%s: got error %v, want a SignalError", name, err)
		}
	}
	for name, body := range map[string]string{
		"html": "<html>portal", "empty": "", "oversize": strings.Repeat("x", 1<<20), "scheme": `{"iceServers":[{"urls":["http://x"]}]}`,
	} {
		reply(200, nil, body)
		_, err := s.ICE(t.Context())
		isSignal("ice "+name, err)
		_, err = s.End(t.Context(), server+"/api/v1/echo/1")
		isSignal("end "+name, err)
	}
	for name, location := range map[string]string{
		"none": "", "elsewhere": "https://evil.example/api/v1/echo/1", "broken": "http://[::1",
	} {
		reply(201, map[string]string{"Location": location}, "v=0\r\n")
		_, _, err := s.Offer(t.Context(), "v=0\r\n")
		isSignal("location "+name, err)
	}
	reply(503, nil, `{"error":{"code":"echo_busy","message":"…"}}`)
	_, _, err := s.Offer(t.Context(), "v=0\r\n")
	var e *media.SignalError
	if !errors.As(err, &e) || e.Status != 503 || e.Code != "echo_busy" {
		t.Errorf("got error %v, want status 503, code echo_busy", err)
	}
	reply(201, map[string]string{"Location": "/api/v1/echo/7"}, "v=0\r\n")
	if _, at, err := s.Offer(t.Context(), "v=0\r\n"); err != nil || at != server+"/api/v1/echo/7" {
		t.Errorf("got %q, error %v; want %q", at, err, server+"/api/v1/echo/7")
	}
}

func TestMeasuresThroughHTTP(t *testing.T) {
	t.Parallel()
	r := newReflector(t)
	base, _ := url.Parse(newHTTP(t, echoAPI(r)))
	result, d := repeatIfVoid(t, func() (probe.Result, *report.MediaVoice) {
		return measure(t, t.Context(), env(), media.VoiceConfig{
			Signaller: &media.HTTPSignaller{Base: base, Token: "t"}, Duration: time.Second,
		})
	})
	if d.State != report.MediaComplete || result.Status != report.StatusOK || *d.UpReceived != 50 {
		t.Errorf("got state %s, status %s, want %s, %s and 50 packets", d.State, result.Status, report.MediaComplete, report.StatusOK)
	}
}
