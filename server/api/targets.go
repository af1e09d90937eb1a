package api

import (
	"context"
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Targets returns the conference systems, without their secrets, and with a link to a
// test meeting of the one named join.
type Targets interface {
	Targets(ctx context.Context, join string) (wire.Targets, error)
}

func (a *API) targets(w http.ResponseWriter, r *http.Request, _ caller) error {
	join := r.URL.Query().Get(wire.ParamJoin)
	if join != "" && !wire.IsTargetName(join) {
		return fault(http.StatusBadRequest, "target_invalid", "join is not the name of a target")
	}
	all, err := a.Targets.Targets(r.Context(), join)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}
