package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// readCase is a case, with the entries if only one was requested.
type readCase struct {
	ReportID      string          `json:"report_id"`
	ParticipantID string          `json:"participant_id"`
	Case          string          `json:"case"`
	State         string          `json:"state"`
	By            string          `json:"by"`
	Since         *time.Time      `json:"since"`
	Named         string          `json:"named"` // the primary cause of the report
	Cause         string          `json:"cause"` // what it was
	Entries       []readCaseEntry `json:"entries,omitempty"`
}

type readCaseEntry struct {
	At    *time.Time `json:"at"`
	By    string     `json:"by"`
	Kind  string     `json:"kind"`
	Text  string     `json:"text"`
	Cause string     `json:"cause"`
}

func caseOf(c store.Case) readCase {
	one := readCase{ReportID: c.ReportID, ParticipantID: c.ParticipantID, Case: c.Code, State: string(c.State), By: c.By,
		Since: moment(c.Since), Named: c.Named, Cause: c.Cause}
	for _, e := range c.Entries {
		one.Entries = append(one.Entries, readCaseEntry{At: moment(e.At), By: e.By, Kind: string(e.Kind), Text: e.Text, Cause: e.Cause})
	}
	return one
}

// readCases lists the cases of a participant on which somebody has worked.
func (a *API) readCases(w http.ResponseWriter, r *http.Request) error {
	_, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	id := pathID(r)
	if _, err := a.Store.ParticipantState(r.Context(), id); err != nil {
		return readFault(err)
	}
	found, err := a.Store.ParticipantCases(r.Context(), id, limit)
	if err != nil {
		return readFault(err)
	}
	if err := a.recordRead(r, store.AuditParticipantRead, id, ""); err != nil {
		return err
	}
	cases := []readCase{}
	for _, c := range found {
		cases = append(cases, caseOf(c))
	}
	writeJSON(w, http.StatusOK, map[string]any{"cases": cases})
	return nil
}

func (a *API) readCase(w http.ResponseWriter, r *http.Request) error {
	c, err := a.Store.Case(r.Context(), pathID(r))
	if err != nil {
		return readFault(err)
	}
	if err := a.recordRead(r, store.AuditParticipantRead, c.ParticipantID, c.ReportID); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, caseOf(c))
	return nil
}

// maxFoundCases limits the cases with the same code.
const maxFoundCases = 20

// findCases lists the newest reports with a case code in any spelling.
func (a *API) findCases(w http.ResponseWriter, r *http.Request) error {
	code, ok := report.NormalizeCase(r.URL.Query().Get("code"))
	if !ok {
		return fault(http.StatusBadRequest, "code_invalid", "code is a case code such as K7P-3QX")
	}
	found, err := a.Store.CaseReports(r.Context(), code, maxFoundCases)
	if err != nil {
		return readFault(err)
	}
	cases := []readCase{}
	for _, s := range found {
		c, err := a.Store.Case(r.Context(), s.ID)
		if err != nil {
			return readFault(err)
		}
		if err := a.recordRead(r, store.AuditParticipantRead, c.ParticipantID, c.ReportID); err != nil {
			return err
		}
		c.Entries = nil
		cases = append(cases, caseOf(c))
	}
	writeJSON(w, http.StatusOK, map[string]any{"cases": cases})
	return nil
}

// readCouncilSession is a session of a council.
type readCouncilSession struct {
	ID        string     `json:"id"`
	CouncilID string     `json:"council_id"`
	Council   string     `json:"council"`
	Title     string     `json:"title"`
	Place     string     `json:"place"`
	StartsAt  *time.Time `json:"starts_at"`
	EndsAt    *time.Time `json:"ends_at"`
	Target    string     `json:"target"`
	Cancelled bool       `json:"cancelled"`
}

func sessionOf(s store.CouncilSession, c store.Council) readCouncilSession {
	return readCouncilSession{ID: s.ID, CouncilID: c.ID, Council: c.Name, Title: s.Title, Place: s.Place, StartsAt: moment(s.StartsAt),
		EndsAt: moment(s.EndsAt), Target: s.Target, Cancelled: s.Cancelled}
}

// readSessions lists the sessions that are not over.
func (a *API) readSessions(w http.ResponseWriter, r *http.Request) error {
	after, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	page, err := a.Store.CouncilSessions(r.Context(), store.SessionQuery{From: a.Now(), After: after, Limit: limit})
	if err != nil {
		return readFault(err)
	}
	sessions, councils := []readCouncilSession{}, map[string]store.Council{}
	for _, s := range page.Sessions {
		c, known := councils[s.CouncilID]
		if !known {
			if c, err = a.Store.Council(r.Context(), s.CouncilID); err != nil {
				return readFault(err)
			}
			councils[s.CouncilID] = c
		}
		sessions = append(sessions, sessionOf(s, c))
	}
	writeJSON(w, http.StatusOK, map[string]any{"sessions": sessions, "next": page.Next})
	return nil
}

// readMember is a member of the council before a session. Names are in the list of participants.
type readMember struct {
	ParticipantID string     `json:"participant_id"`
	State         string     `json:"state"`
	CheckedAt     *time.Time `json:"checked_at"`
	Cause         string     `json:"cause"`
}

// memberOf describes the check that decides the state of a member.
func (a *API) memberOf(ctx context.Context, m store.RollMember) (readMember, error) {
	one := readMember{ParticipantID: m.ID, State: string(m.State)}
	if m.Last == nil {
		return one, nil
	}
	one.CheckedAt, one.Cause = moment(m.Last.CheckedAt), m.Last.Primary.Code
	if m.Full == nil || m.Last.Verdict == m.Verdict {
		return one, nil
	}
	// The last check was not a full one and found nothing. What the last full check found still applies.
	one.CheckedAt, one.Cause = moment(m.Full.CheckedAt), ""
	full, err := a.Store.Report(ctx, m.Full.ReportID)
	switch {
	case err == nil:
		one.Cause = full.Primary.Code
	case !errors.Is(err, store.ErrNotFound): // it may have been deleted meanwhile
		return one, err
	}
	return one, nil
}

// readSession returns the roll call of a session, worst first.
func (a *API) readSession(w http.ResponseWriter, r *http.Request) error {
	s, err := a.Store.CouncilSession(r.Context(), pathID(r))
	if err != nil {
		return readFault(err)
	}
	c, err := a.Store.Council(r.Context(), s.CouncilID)
	if err != nil {
		return readFault(err)
	}
	states, _, err := a.Store.CouncilMembers(r.Context(), s.CouncilID)
	if err != nil {
		return readFault(err)
	}
	zone := a.Zone
	if zone == nil {
		zone = time.Local
	}
	roll := store.CallRoll(states, store.RollSince(s.StartsAt, zone))
	counts, members := map[string]int{}, []readMember{}
	for _, state := range store.RollStates() {
		counts[string(state)] = roll.Counts[state]
	}
	for _, m := range roll.Members {
		one, err := a.memberOf(r.Context(), m)
		if err != nil {
			return err
		}
		members = append(members, one)
	}
	writeJSON(w, http.StatusOK, struct {
		readCouncilSession
		Since   *time.Time     `json:"since"`
		Counts  map[string]int `json:"counts"`
		Members []readMember   `json:"members"`
	}{sessionOf(s, c), moment(roll.Since), counts, members})
	return nil
}

// readCommonCause is a common cause of the present.
type readCommonCause struct {
	Code              string     `json:"code"`
	Key               string     `json:"key"`
	From              *time.Time `json:"from"`
	To                *time.Time `json:"to"`
	Affected          []string   `json:"affected"` // ids of participants
	Members           int        `json:"members"`
	ElsewhereAffected int        `json:"elsewhere_affected"`
	ElsewhereMembers  int        `json:"elsewhere_members"`
	UsualPct          float64    `json:"usual_pct"`
	Probability       float64    `json:"probability"`
}

func (a *API) readCauses(w http.ResponseWriter, _ *http.Request) error {
	causes := []readCommonCause{}
	if a.Common != nil {
		for _, f := range a.Common() {
			causes = append(causes, readCommonCause{Code: f.Code, Key: f.Key, From: moment(f.From), To: moment(f.To), Affected: f.Affected, Members: f.Members,
				ElsewhereAffected: f.ElsewhereAffected, ElsewhereMembers: f.ElsewhereMembers, UsualPct: f.UsualPct, Probability: f.Probability})
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"causes": causes})
	return nil
}
