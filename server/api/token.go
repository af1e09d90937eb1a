package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// Rate limit of new tokens per agent. An agent needs one a month, plus one for each lost
// response.
const (
	renewalBurst = 5
	renewalEvery = 10 * time.Minute
)

// replacedGrace is how long the former token may be used without being reported as a
// copy: by requests in flight, and by connections that have not detected the change yet.
const replacedGrace = 10 * time.Minute

// newToken issues the next token. Each request invalidates the token issued by the
// previous one, so that a lost response leaves no valid token behind.
func (a *API) newToken(w http.ResponseWriter, r *http.Request, c caller) error {
	if wait, ok := a.byRenewal.Allow(c.ID); !ok {
		return tooMany(wait)
	}
	current, _ := auth.BearerToken(r) // the caller has one
	token, next, err := auth.NewToken(a.Random)
	if err != nil {
		return err
	}
	err = a.Store.AddToken(r.Context(), c.ID, current, next)
	if errors.Is(err, store.ErrNotFound) { // it was revoked or replaced meanwhile
		return unknownAgent()
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, wire.TokenResponse{Token: token})
	return nil
}

// tokenState lets an agent use a new token at once.
func (a *API) tokenState(w http.ResponseWriter, _ *http.Request, c caller) error {
	writeJSON(w, http.StatusOK, wire.TokenState{Renew: !c.RenewalAskedAt.IsZero()})
	return nil
}

// identifyOther identifies an agent by its next token, which becomes the current one, or
// rejects a former one.
func (a *API) identifyOther(ctx context.Context, hash store.Hash) (caller, error) {
	o, err := a.Store.AgentByOtherToken(ctx, hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return caller{}, a.unknown(ctx, hash)
	case err != nil:
		return caller{}, err
	case !o.ReplacedAt.IsZero():
		if a.Now().Sub(o.ReplacedAt).Abs() > replacedGrace {
			a.Agents.Outdated(live.Caller{AgentID: o.Agent.ID, ParticipantID: o.Participant.ID})
		}
		return caller{}, fault(http.StatusUnauthorized, wire.CodeTokenReplaced,
			"this agent has a newer token; if its data was restored from a backup or copied, enrol it again")
	case o.Participant.Blocked:
		return caller{}, blocked()
	}
	err = a.Store.UseToken(ctx, o.Agent.ID, hash, a.Now())
	switch {
	case err == nil:
		a.Log.InfoContext(ctx, "agent uses a new token", "agent", o.Agent.ID)
		// Whoever has the former token must not keep a connection.
		a.Agents.Renewed(o.Agent.ID)
	case !errors.Is(err, store.ErrNotFound):
		return caller{}, err
	}
	// Another request may have been faster.
	agent, participant, err := a.Store.AgentByToken(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return caller{}, a.unknown(ctx, hash)
	}
	return caller{Agent: agent, Participant: participant}, err
}
