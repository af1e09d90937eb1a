package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Targets returns the conference systems without their secrets. If join is the name of one of them,
// it has a link to a test meeting.
type Targets interface {
	Targets(ctx context.Context, join string) (wire.Targets, error)
}

func (a *API) targets(w http.ResponseWriter, r *http.Request, c caller) error {
	join := r.URL.Query().Get(wire.ParamJoin)
	if join != "" && !wire.IsTargetName(join) {
		return fault(http.StatusBadRequest, "target_invalid", "join is not the name of a target")
	}
	all, err := a.Targets.Targets(r.Context(), join)
	if err != nil {
		return err
	}
	if all.Sessions, err = a.sessions(r.Context(), c); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}

// announceFor is how long before its start a session is announced to agents.
const announceFor = 14 * 24 * time.Hour

// sessions returns the next sessions of the caller's participant, and those that may still be in
// progress.
func (a *API) sessions(ctx context.Context, c caller) ([]wire.Session, error) {
	if c.Participant.ID == "" { // a program that may only measure
		return nil, nil
	}
	now := a.Now()
	list, err := a.Store.SessionsOf(ctx, c.Participant.ID, now.Add(-wire.Overtime), now.Add(announceFor), wire.MaxSessions)
	if err != nil {
		return nil, err
	}
	var sessions []wire.Session
	for _, s := range list {
		one := wire.Session{StartsAt: s.StartsAt, Target: s.Target, Profile: s.Profile}
		if !s.EndsAt.IsZero() {
			one.EndsAt = &s.EndsAt
		}
		sessions = append(sessions, one)
	}
	return sessions, nil
}
