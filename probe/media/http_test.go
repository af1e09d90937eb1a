package media_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

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
