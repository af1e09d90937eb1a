package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/peer"
)

const maxEnrollBytes = 8 << 10

type enrollRequest struct {
	Code    string `json:"code"`
	AgentID string `json:"agent_id"`
	Agent   struct {
		Version string `json:"version"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	} `json:"agent"`
}

type enrollAnswer struct {
	AgentID string `json:"agent_id"`
	Token   string `json:"token"`
	// Participant is the name of the participant for whom the computer was enrolled.
	Participant string `json:"participant"`
}

func (a *API) enroll(w http.ResponseWriter, r *http.Request) error {
	from := limit.AddressKey(peer.Addr(r))
	if wait, ok := a.byAddress.Allow(from); !ok {
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
	var q enrollRequest
	if err := json.Unmarshal(body, &q); err != nil {
		return fault(http.StatusBadRequest, "body_malformed", "the body is not the JSON object that was expected")
	}
	e, err := a.desk.Accept(r.Context(), q.Code, enroll.Applicant{
		AgentID: q.AgentID, Version: q.Agent.Version, OS: q.Agent.OS, Arch: q.Agent.Arch})
	if input, ok := errors.AsType[*enroll.InputError](err); ok {
		return fault(http.StatusBadRequest, "agent_invalid", input.Problem)
	}
	if errors.Is(err, enroll.ErrCode) {
		a.count.enrolments.WithLabelValues("refused").Inc()
		return fault(http.StatusNotFound, "enroll_code_invalid", enroll.ErrCode.Error())
	}
	if err != nil {
		return err
	}
	a.byAddress.Forget(from)
	a.count.enrolments.WithLabelValues("enrolled").Inc()
	a.Live.Publish(live.Event{Kind: live.ParticipantEnrolled, ParticipantID: e.Participant.ID, At: a.Now()})
	writeJSON(w, http.StatusCreated, enrollAnswer{AgentID: e.AgentID, Token: e.Token, Participant: e.Participant.Name})
	return nil
}
