// Package whip is a WHIP endpoint (RFC 9725) in front of the reflector, for a reflector
// that runs next to a conference server without a collector. Unlike other endpoints, it
// returns the stream, and responds to DELETE with the record of what arrived.
package whip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// Path is the path of the endpoint.
const Path = "/whip"

// retryAfter is the time until a session is likely to end: about the duration of a check.
const retryAfter = 10 * time.Second

// Echo is the reflector.
type Echo interface {
	Offer(ctx context.Context, owner, offerSDP string) (id, answerSDP string, err error)
	End(owner, id string) (wire.EchoLog, error)
	ICE(owner, host string) wire.ICEConfig
}

// Endpoint is a WHIP endpoint. Every request except OPTIONS requires a token that is
// signed with Secret.
type Endpoint struct {
	Echo   Echo
	Secret []byte
	Now    func() time.Time
	Log    *slog.Logger
}

// Handler returns the endpoint's handler.
func (e Endpoint) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("OPTIONS "+Path, e.options)
	mux.HandleFunc("POST "+Path, e.signedIn(e.offer))
	mux.HandleFunc("DELETE "+Path+"/{id}", e.signedIn(e.end))
	return mux
}

// options reports what the endpoint accepts (RFC 9725 §4.2). It names STUN and TURN
// servers only to clients with a token, because their credentials are included (§4.6).
func (e Endpoint) options(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Accept-Post", wire.MediaTypeSDP)
	h.Set("Allow", "OPTIONS, POST")
	h.Set("Cache-Control", "no-store")
	h.Set(wire.HeaderEcho, wire.EchoValue)
	if owner, err := e.owner(r); err == nil {
		e.addServers(w, r, owner)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (e Endpoint) addServers(w http.ResponseWriter, r *http.Request, owner string) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	for _, s := range e.Echo.ICE(owner, host).ICEServers {
		for _, u := range s.URLs {
			link := "<" + u + `>; rel="ice-server"`
			if s.Username != "" {
				link += fmt.Sprintf(`; username=%q; credential=%q; credential-type="password"`, s.Username, s.Credential)
			}
			w.Header().Add("Link", link)
		}
	}
}

// signedIn passes requests with a valid token to next, together with the token's owner.
func (e Endpoint) signedIn(next func(w http.ResponseWriter, r *http.Request, owner string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		owner, err := e.owner(r)
		if err != nil {
			e.Log.Info("a request without a valid token", "err", err)
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a valid token is required", http.StatusUnauthorized)
			return
		}
		next(w, r, owner)
	}
}

func (e Endpoint) owner(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errors.New("there is no token")
	}
	return Verify(strings.TrimSpace(token), e.Secret, e.Now())
}

func (e Endpoint) offer(w http.ResponseWriter, r *http.Request, owner string) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != wire.MediaTypeSDP {
		http.Error(w, "the offer must be "+wire.MediaTypeSDP, http.StatusUnsupportedMediaType)
		return
	}
	offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reflector.MaxOfferBytes))
	if err != nil {
		http.Error(w, "the offer cannot be read", http.StatusBadRequest)
		return
	}
	id, answer, err := e.Echo.Offer(r.Context(), owner, string(offer))
	switch {
	case errors.Is(err, reflector.ErrBadOffer):
		http.Error(w, "the offer cannot be answered", http.StatusBadRequest)
		return
	case errors.Is(err, reflector.ErrBusy), errors.Is(err, reflector.ErrClosed):
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
		http.Error(w, "too many checks at once", http.StatusServiceUnavailable)
		return
	case err != nil:
		e.Log.Error("no answer to an offer", "err", err)
		http.Error(w, "the offer was not answered", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Location", Path+"/"+id)
	h.Set("Content-Type", wire.MediaTypeSDP)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (e Endpoint) end(w http.ResponseWriter, r *http.Request, owner string) {
	log, err := e.Echo.End(owner, r.PathValue("id"))
	if err != nil {
		http.Error(w, "there is no such session, or it has ended", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(log)
}
