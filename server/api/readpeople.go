package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// readReportSummary is a report in a list.
type readReportSummary struct {
	ID            string     `json:"id"`
	ParticipantID string     `json:"participant_id"`
	Case          string     `json:"case"`
	Trigger       string     `json:"trigger"`
	Verdict       string     `json:"verdict"`
	Cause         string     `json:"cause"` // the code of the primary cause
	Severity      string     `json:"severity"`
	Area          string     `json:"area"`
	CheckedAt     *time.Time `json:"checked_at"`
	ReceivedAt    *time.Time `json:"received_at"`
}

func summaryOf(s store.ReportSummary) readReportSummary {
	return readReportSummary{ID: s.ID, ParticipantID: s.ParticipantID, Case: s.Case, Trigger: string(s.Trigger), Verdict: string(s.Verdict),
		Cause: s.Primary.Code, Severity: string(s.Primary.Severity), Area: string(s.Primary.Area),
		CheckedAt: moment(s.CheckedAt), ReceivedAt: moment(s.ReceivedAt)}
}

// readPerson is a participant with the present state.
type readPerson struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	Phone      string             `json:"phone"`
	State      string             `json:"state"`
	Enrolled   bool               `json:"enrolled"`
	CreatedAt  *time.Time         `json:"created_at"`
	LastSeenAt *time.Time         `json:"last_seen_at"`
	Last       *readReportSummary `json:"last"`
}

// States of a participant besides the verdicts.
const (
	stateBlocked = "blocked"
	stateNever   = "never" // never checked
	stateOld     = "old"   // the last check is too old to count
)

func (a *API) personOf(p store.ParticipantState) readPerson {
	one := readPerson{ID: p.ID, Name: p.Name, Phone: p.Phone, Enrolled: p.Enrolled, CreatedAt: moment(p.CreatedAt), LastSeenAt: moment(p.LastSeenAt)}
	switch {
	case p.Blocked:
		one.State = stateBlocked
	case p.Last == nil:
		one.State = stateNever
	case !p.Fresh(a.freshSince()):
		one.State = stateOld
	default:
		one.State = string(cmp.Or(p.Verdict, report.Unknown))
	}
	if p.Last != nil {
		last := summaryOf(*p.Last)
		one.Last = &last
	}
	return one
}

// freshSince returns the time from which checks count.
func (a *API) freshSince() time.Time { return a.Now().Add(-cmp.Or(a.FreshFor, defaultFreshFor)) }

func (a *API) readParticipants(w http.ResponseWriter, r *http.Request) error {
	after, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	search := r.URL.Query().Get("search")
	if len(search) > report.MaxSpokenBytes {
		return fault(http.StatusBadRequest, "search_invalid", "the search is too long")
	}
	page, err := a.Store.ParticipantStates(r.Context(), store.StateQuery{Search: search, Order: store.ByName, After: after, Limit: limit})
	if err != nil {
		return readFault(err)
	}
	people := []readPerson{}
	for _, p := range page.States {
		people = append(people, a.personOf(p))
	}
	writeJSON(w, http.StatusOK, map[string]any{"participants": people, "next": page.Next})
	return nil
}

func (a *API) readParticipant(w http.ResponseWriter, r *http.Request) error {
	p, err := a.Store.ParticipantState(r.Context(), pathID(r))
	if err != nil {
		return readFault(err)
	}
	if err := a.recordRead(r, store.AuditParticipantRead, p.ID, ""); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, a.personOf(p))
	return nil
}

// readHistory lists the reports of a participant, newest first.
func (a *API) readHistory(w http.ResponseWriter, r *http.Request) error {
	after, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	id := pathID(r)
	if _, err := a.Store.ParticipantState(r.Context(), id); err != nil {
		return readFault(err)
	}
	page, err := a.Store.ParticipantReports(r.Context(), store.ReportQuery{ParticipantID: id, After: after, Limit: limit})
	if err != nil {
		return readFault(err)
	}
	if err := a.recordRead(r, store.AuditParticipantRead, id, ""); err != nil {
		return err
	}
	reports := []readReportSummary{}
	for _, s := range page.Reports {
		reports = append(reports, summaryOf(s))
	}
	writeJSON(w, http.StatusOK, map[string]any{"reports": reports, "next": page.Next})
	return nil
}

func (a *API) readReport(w http.ResponseWriter, r *http.Request) error {
	stored, err := a.Store.Report(r.Context(), pathID(r))
	if err != nil {
		return readFault(err)
	}
	if err := a.recordRead(r, store.AuditDocumentRead, stored.ParticipantID, stored.ID); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct {
		readReportSummary
		Document json.RawMessage `json:"document"`
	}{summaryOf(stored.ReportSummary), stored.Document})
	return nil
}
