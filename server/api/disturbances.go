package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// Rate limit of reports of disturbances per agent: each reads the states of a whole council.
const (
	disturbanceBurst = 5
	disturbanceEvery = 10 * time.Second
)

// reportDisturbance records that the participant has a disturbance in the session in progress. The
// time is that of the collector. It contains no text, so that nothing foreign gets into the record.
func (a *API) reportDisturbance(w http.ResponseWriter, r *http.Request, c caller) error {
	if wait, ok := a.byDisturbance.Allow(c.ID); !ok {
		return tooMany(wait)
	}
	if err := wantType(r, "application/json"); err != nil {
		return err
	}
	body, err := readWire(w, r, wire.MaxDisturbanceBytes)
	if err != nil {
		return err
	}
	id, err := disturbanceID(body)
	if err != nil {
		return err
	}
	// The id is random, but another agent must not be able to use it first.
	key := store.TextHash(c.ID + " " + id)
	_, e, err := a.recorder.ReportNow(r.Context(), c.Participant.ID, disturbance.Call{By: disturbance.ByParticipant, Key: key})
	switch {
	case errors.Is(err, disturbance.ErrNoSession), errors.Is(err, disturbance.ErrTime), errors.Is(err, disturbance.ErrNotMember):
		return fault(http.StatusConflict, wire.CodeNoSession, "no session of this participant is in progress")
	case errors.Is(err, store.ErrRecordClosed), errors.Is(err, store.ErrRecordFull):
		return fault(http.StatusConflict, wire.CodeRecordClosed, "the record of the session is complete: call phone support")
	case err != nil:
		return err
	}
	a.Live.Publish(live.Event{Kind: live.ParticipantChanged, ParticipantID: c.Participant.ID, At: a.Now()})
	writeJSON(w, http.StatusOK, wire.DisturbanceResponse{At: e.At, Number: e.Number})
	return nil
}

func disturbanceID(body []byte) (string, error) {
	var q wire.DisturbanceRequest
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(&q)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		return "", fault(http.StatusBadRequest, "body_malformed", "the body is not the expected JSON object")
	}
	id, err := uuid.Parse(q.ID)
	if err != nil || id.String() != q.ID {
		return "", fault(http.StatusBadRequest, "id_invalid", "id is not a UUID in its usual form")
	}
	return q.ID, nil
}
