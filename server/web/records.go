package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/store"
)

const recordsAddress = "/disturbances"

func recordAddress(sessionID string) string { return sessionAddress(sessionID) + "/disturbances" }

// verifyCommand is the command that verifies a saved record.
const verifyCommand = "tonprobe-collector record verify"

// maxShownNames is the number of names of other members up to which a page shows all of them.
const maxShownNames = 400

// maxShownRecords is the number of records that the list shows.
const maxShownRecords = 100

// recordsPage is the list of records.
type recordsPage struct {
	Rows []recordRow
	More string // "" if these are all
}

// recordRow is a row of the list of records.
type recordRow struct {
	sessionRow
	Reports int
	Closed  bool
	Record  string // address
}

func (s *site) records(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Store.DisturbanceRecords(r.Context(), maxShownRecords+1)
	if err != nil {
		return err
	}
	v := s.view(r)
	var body recordsPage
	if len(list) > maxShownRecords {
		list = list[:maxShownRecords]
		body.More = v.T("record.list_more", "n", maxShownRecords)
	}
	for _, one := range list {
		read, err := disturbance.Read(store.DisturbanceRecord{Head: one.Head})
		if err != nil {
			return err
		}
		body.Rows = append(body.Rows, recordRow{sessionRow: v.sessionOfHead(read.Head), Reports: one.Reports, Closed: !one.ClosedAt.IsZero(), Record: recordAddress(one.SessionID)})
	}
	s.show(w, r, page{Name: "records", Body: body})
	return nil
}

func (v view) sessionOfHead(h disturbance.Head) sessionRow {
	return v.session(store.CouncilSession{ID: h.SessionID, Title: h.Title, Place: h.Place, StartsAt: h.StartsAt, EndsAt: h.EndsAt}, store.Council{Name: h.Council})
}

// recordPage is the record of a session.
type recordPage struct {
	sessionRow
	Now       string // RFC 3339
	Address   string
	Session   string // address of the session
	Begun     bool   // there is a record
	Gone      bool   // the session was removed
	Closed    bool
	Disturbed []disturbed
	Unsettled []disturbed // those without an end, while the record is open
	Members   []memberChoice
	Entries   []recordEntry
	Rules     *rulesInWords
	Land      string
	Hash      string
	Closing   string // hash at closing; "" if it is the present one, or the record is open
	HowTo     string
	Erased    string // "" if nothing was erased
	NamesLeft bool
	MaxText   int
	Once      string
	recordInput
}

// recordInput is the input of a form that could not be stored.
type recordInput struct {
	Problem, Person, Time, Remark, Correction string
}

type memberChoice struct {
	ID, Name string
	Picked   bool
}

// rulesInWords contains the rules of a Land (German federal state) in the language of the page.
type rulesInWords struct {
	Title   string
	Sources []ruleSource
}

type ruleSource struct{ Statute, Text string }

func (s *site) disturbanceRecord(w http.ResponseWriter, r *http.Request) error {
	return s.showRecord(w, r, http.StatusOK, recordInput{Person: r.URL.Query().Get("participant")})
}

func (s *site) showRecord(w http.ResponseWriter, r *http.Request, status int, input recordInput) error {
	id := r.PathValue("id")
	stored, err := s.Store.DisturbanceRecord(r.Context(), id)
	begun := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	v := s.view(r)
	body := recordPage{Address: recordAddress(id), Session: sessionAddress(id), Begun: begun, MaxText: store.MaxCaseNoteRunes, Once: s.newFormKey(), Now: v.now.UTC().Format(time.RFC3339Nano), recordInput: input}
	session, err := s.Store.CouncilSession(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound) && begun:
		body.Gone = true
	case err != nil:
		return err
	default:
		council, err := s.Store.Council(r.Context(), session.CouncilID)
		if err != nil {
			return err
		}
		members, _, err := s.Store.CouncilMembers(r.Context(), session.CouncilID)
		if err != nil {
			return err
		}
		body.sessionRow = v.session(session, council)
		body.Members = v.memberChoices(members, input.Person)
	}
	if begun {
		read, err := disturbance.Read(stored)
		if err != nil {
			return err
		}
		body.sessionRow = v.sessionOfHead(read.Head)
		body.fill(v, read)
		for i := range body.Disturbed {
			body.Disturbed[i].Once = s.newFormKey()
			if !body.Closed && !body.Disturbed[i].Over {
				body.Unsettled = append(body.Unsettled, body.Disturbed[i])
			}
		}
	}
	shown := page{Status: status, Name: "record", Path: body.Address, Body: body, Stream: "/events"}
	if status != http.StatusOK {
		shown.Stream = "" // the address is that of a form
	}
	s.show(w, r, shown)
	return nil
}

func (v view) memberChoices(members []store.ParticipantState, picked string) (list []memberChoice) {
	slices.SortFunc(members, func(a, b store.ParticipantState) int {
		return strings.Compare(store.NameKey(a.Name)+a.ID, store.NameKey(b.Name)+b.ID)
	})
	for _, m := range members {
		list = append(list, memberChoice{m.ID, v.name(m.Participant), m.ID == picked})
	}
	return list
}

// fill adds the content of a record.
func (p *recordPage) fill(v view, r disturbance.Record) {
	p.Hash, p.Closed = r.Hash, r.ClosingHash != ""
	if r.ClosingHash != r.Hash {
		p.Closing = r.ClosingHash
	}
	p.HowTo = v.T("record.check_how", "command", verifyCommand)
	if n := r.Erased(); n > 0 {
		p.Erased = v.T("record.erased", "n", n)
	}
	german := v.lang == phrase.DE
	p.Land = r.Rules.Land.In(german)
	if len(r.Rules.Sources) > 0 {
		p.Rules = &rulesInWords{Title: v.T("record.rules", "land", clean(p.Land, maxNameRunes))}
		for _, s := range r.Rules.Sources {
			p.Rules.Sources = append(p.Rules.Sources, ruleSource{clean(s.Statute, maxNameRunes), clean(s.In(german), 2000)})
		}
	}
	names := 0
	for _, e := range r.Entries {
		names += len(e.Persons)
	}
	p.NamesLeft = names > maxShownNames
	for _, e := range r.Entries {
		if e.Kind == store.DisturbanceReported {
			p.Disturbed = append(p.Disturbed, v.disturbed(r, e, p.NamesLeft))
		}
		p.Entries = append(p.Entries, v.recordEntry(e))
	}
}

// readRecord returns the stored record of the address.
func (s *site) readRecord(r *http.Request) (store.DisturbanceRecord, error) {
	return s.Store.DisturbanceRecord(r.Context(), r.PathValue("id"))
}

// recordTable serves a record as CSV.
func (s *site) recordTable(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.readRecord(r)
	if err != nil {
		return err
	}
	read, err := disturbance.Read(stored)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+recordName(stored)+`.csv"`)
	return disturbance.Table(w, read, s.Zone)
}

// recordFile serves a record as a file for verifyCommand.
func (s *site) recordFile(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.readRecord(r)
	if err != nil {
		return err
	}
	b, err := disturbance.Save(stored)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+recordName(stored)+`.json"`)
	_, _ = w.Write(b)
	return nil
}

func recordName(r store.DisturbanceRecord) string {
	return "tonprobe-record-" + r.StartsAt.UTC().Format("2006-01-02") + "-" + r.Hash()[:8]
}

// sessionsNow returns the sessions in which a disturbance of a participant can be reported at present,
// for the participant's page.
func (s *site) sessionsNow(r *http.Request, v view, participantID string) (list []sessionChoice, err error) {
	found, err := s.Store.SessionsOf(r.Context(), participantID, v.now.Add(-disturbance.Overtime), v.now.Add(disturbance.Before), store.DefaultPage)
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		council, err := s.Store.Council(r.Context(), one.CouncilID)
		if err != nil {
			return nil, err
		}
		list = append(list, sessionChoice{Address: recordAddress(one.ID), Word: v.T("record.report_in", "council", clean(council.Name, maxNameRunes)), Once: s.newFormKey()})
	}
	return list, nil
}

// sessionChoice is a button that reports a disturbance in a session.
type sessionChoice struct{ Address, Word, Once string }
