package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// caller is the agent that sent a request.
type caller struct {
	store.Agent
	Participant store.Participant
}

// agents admits only enrolled agents, applies a rate limit to each of them, and stores the time of
// its last contact.
func (a *API) agents(h func(http.ResponseWriter, *http.Request, caller) error) http.Handler {
	return a.admitted(func(w http.ResponseWriter, r *http.Request, c caller) error {
		if err := a.touch(r.Context(), c); err != nil {
			return err
		}
		return h(w, r, c)
	})
}

// admitted is agents for a handler that stores the time of the last contact itself.
func (a *API) admitted(h func(http.ResponseWriter, *http.Request, caller) error) http.Handler {
	return a.handle(func(w http.ResponseWriter, r *http.Request) error {
		c, err := a.identify(r)
		if err != nil {
			return err
		}
		if wait, ok := a.byAgent.Allow(c.ID); !ok {
			return tooMany(wait)
		}
		if !c.RenewalAskedAt.IsZero() {
			w.Header().Set(wire.HeaderRenewToken, wire.RenewTokenValue)
		}
		err = h(w, r, c)
		if errors.Is(err, store.ErrNotFound) { // the agent was erased or revoked meanwhile
			if _, refused := a.identify(r); refused != nil {
				return refused
			}
		}
		return err
	})
}

// touch stores the time of an agent's last contact.
func (a *API) touch(ctx context.Context, c caller) error {
	// A time in the future was stored when the clock was ahead.
	if now := a.Now(); now.Sub(c.LastSeenAt).Abs() > touchEvery {
		return a.Store.TouchAgent(ctx, c.ID, now)
	}
	return nil
}

// measuring also admits a program with a MeasureToken. The token was issued at most ten
// minutes ago to an agent that was admitted then.
func (a *API) measuring(h func(http.ResponseWriter, *http.Request, caller) error) http.Handler {
	admitted := a.agents(h)
	measures := a.handle(func(w http.ResponseWriter, r *http.Request) error {
		token, _ := auth.Bearer(r)
		owner, ok := a.Echo.MeasureOwner(token)
		if !ok {
			return unknownAgent()
		}
		if wait, ok := a.byAgent.Allow(owner); !ok {
			return tooMany(wait)
		}
		return h(w, r, caller{Agent: store.Agent{ID: owner}})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := auth.BearerToken(r); ok {
			admitted.ServeHTTP(w, r)
			return
		}
		measures.ServeHTTP(w, r)
	})
}

func unknownAgent() *Fault {
	return fault(http.StatusUnauthorized, wire.CodeTokenInvalid, "this agent is not enrolled here, or no longer enrolled: enrol it again")
}

func (a *API) identify(r *http.Request) (caller, error) {
	hash, ok := auth.BearerToken(r)
	if !ok {
		return caller{}, unknownAgent()
	}
	agent, participant, err := a.Store.AgentByToken(r.Context(), hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a.identifyOther(r.Context(), hash)
	case err != nil:
		return caller{}, err
	case participant.Blocked:
		return caller{}, blocked()
	}
	return caller{Agent: agent, Participant: participant}, nil
}

// unknown returns the fault for a token that no agent has.
func (a *API) unknown(ctx context.Context, hash store.Hash) error {
	erased, err := a.Store.ErasedToken(ctx, hash)
	switch {
	case err != nil:
		return err
	case erased:
		return fault(http.StatusForbidden, wire.CodeErased, "everything about this participant was erased here: keep or delete the reports, and do not send them again")
	}
	return unknownAgent()
}

func blocked() *Fault {
	return fault(http.StatusForbidden, "participant_blocked", "this participant is blocked: ask phone support")
}
