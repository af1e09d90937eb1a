package api

import (
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Targets hands out the conference systems, without their secrets.
type Targets interface {
	Targets() (wire.Targets, error)
}

func (a *API) targets(w http.ResponseWriter, _ *http.Request, _ caller) error {
	all, err := a.Targets.Targets()
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}
