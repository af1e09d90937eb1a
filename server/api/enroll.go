package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/peer"
)

const maxEnrollBytes = 8 << 10

func (a *API) enroll(w http.ResponseWriter, r *http.Request) error {
	from := limit.AddressKey(peer.Addr(r))
	bucket := limit.Bucket{Limiter: a.byAddress, Name: "enrolment", Key: from}
	wait, failed, err := a.Shared.Allow(r.Context(), bucket)
	if err != nil {
		return err
	}
	if wait > 0 {
		a.count.enrolments.WithLabelValues("rate_limited").Inc()
		return tooMany(wait)
	}
	if err := wantType(r, "application/json"); err != nil {
		return err
	}
	body, err := readWire(w, r, maxEnrollBytes)
	if err != nil {
		return err
	}
	var q wire.EnrollRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return fault(http.StatusBadRequest, "body_malformed", "the body is not the expected JSON object")
	}
	e, err := a.enroller.Accept(r.Context(), q.Code, enroll.Applicant{
		AgentID: q.AgentID, Version: q.Agent.Version, OS: q.Agent.OS, Arch: q.Agent.Arch})
	if input, ok := errors.AsType[*enroll.InputError](err); ok {
		return fault(http.StatusBadRequest, "agent_invalid", input.Problem)
	}
	if errors.Is(err, enroll.ErrCode) {
		a.count.enrolments.WithLabelValues("refused").Inc()
		if err := a.Shared.Fail(r.Context(), bucket); err != nil {
			return err
		}
		return fault(http.StatusNotFound, "enroll_code_invalid", enroll.ErrCode.Error())
	}
	if err != nil {
		return err
	}
	if err := a.Shared.Forget(r.Context(), failed, bucket); err != nil {
		a.Log.Warn("attempts before a right enrolment code remain charged", "err", err)
	}
	a.count.enrolments.WithLabelValues("enrolled").Inc()
	a.Live.Publish(live.Event{Kind: live.ParticipantEnrolled, ParticipantID: e.Participant.ID, At: a.Now()})
	writeJSON(w, http.StatusCreated, wire.EnrollResponse{AgentID: e.AgentID, Token: e.Token, Participant: e.Participant.Name})
	return nil
}
