package api

import (
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// newOwnPageCode issues a one-time code for the page about the participant. It replaces an unused one.
func (a *API) newOwnPageCode(w http.ResponseWriter, r *http.Request, c caller) error {
	if wait, ok := a.byRenewal.Allow("own page " + c.ID); !ok {
		return tooMany(wait)
	}
	code, expires, err := auth.NewOwnPageCode(r.Context(), a.Store, a.Random, c.ID, a.Now())
	if errors.Is(err, store.ErrNotFound) { // revoked or blocked meanwhile
		return unknownAgent()
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, wire.OwnPageCode{Code: code, ExpiresAt: expires})
	return nil
}
