package api

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/reflector"
)

const maxOfferBytes = 64 << 10

// busyRetry is the time until an echo session is likely to end: about the duration of a check.
const busyRetry = 10 * time.Second

func (a *API) ice(w http.ResponseWriter, r *http.Request, c caller) error {
	writeJSON(w, http.StatusOK, a.Echo.ICE(c.ID, a.mediaHost(r)))
	return nil
}

// mediaHost returns the host of the reflector. The Host header is safe as a default, because only
// the agent that sent it receives the result.
func (a *API) mediaHost(r *http.Request) string {
	if a.MediaHost != "" {
		return a.MediaHost
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// startEcho answers an SDP offer, similar to WHIP (RFC 9725 §4.2).
func (a *API) startEcho(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := wantType(r, wire.MediaTypeSDP); err != nil {
		return err
	}
	offer, err := readWire(w, r, maxOfferBytes)
	if err != nil {
		return err
	}
	id, answer, err := a.Echo.Offer(r.Context(), c.ID, string(offer))
	if err != nil {
		return echoFault(err)
	}
	w.Header().Set("Location", "/api/v1/echo/"+id)
	w.Header().Set("Content-Type", wire.MediaTypeSDP)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(answer))
	return nil
}

func (a *API) endEcho(w http.ResponseWriter, r *http.Request, c caller) error {
	log, err := a.Echo.End(c.ID, r.PathValue("id"))
	if err != nil {
		return echoFault(err)
	}
	writeJSON(w, http.StatusOK, log)
	return nil
}

func echoFault(err error) error {
	switch {
	case errors.Is(err, reflector.ErrBadOffer):
		return fault(http.StatusBadRequest, "offer_invalid", "the SDP offer cannot be answered")
	case errors.Is(err, reflector.ErrNoSession):
		return fault(http.StatusNotFound, "echo_unknown", "there is no such echo session, or it has ended")
	case errors.Is(err, reflector.ErrBusy), errors.Is(err, reflector.ErrClosed):
		return &Fault{Status: http.StatusServiceUnavailable, Code: "echo_busy", Message: "too many simultaneous checks: try again shortly", RetryAfter: busyRetry}
	}
	return err
}
