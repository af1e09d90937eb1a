package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
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

// disturbed is one disturbance.
type disturbed struct {
	Number    int
	Name      string
	Title     string
	By        string
	Recorded  string // "" if it was entered at once
	Over      bool
	Remark    string
	Once      string
	Diagnosis diagnosis
	Later     *diagnosis
	LaterWhen string
	States    []stateNames
	Judgement []judged
	Presumed  string // "" if no presumption is known
}

// ElementID returns the id of the HTML element.
func (d disturbed) ElementID() string { return "disturbance-" + strconv.Itoa(d.Number) }

type diagnosis struct {
	Area, Cause, Code, Checked, Note string
	Evidence                         []evidence
	Common                           []string
}

type stateNames struct {
	State state
	Count int
	Names []string
}

type judged struct{ Condition, Truth string }

// recordEntry is an entry in the table of all entries.
type recordEntry struct {
	Number  int
	At      string
	Machine string
	What    string
	Hash    string
	Text    string
}

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

// clock returns a time with seconds, as records show it.
func (v view) clock(t time.Time) string {
	if v.lang == phrase.DE {
		return t.In(v.zone).Format("02.01.2006, 15:04:05 Uhr")
	}
	return t.In(v.zone).Format("2 Jan 2006, 15:04:05")
}

func (v view) disturbed(r disturbance.Record, e disturbance.Entry, few bool) disturbed {
	d := disturbed{Number: e.Number, Name: v.personName(e), By: v.T("record.reported_by", "by", v.madeBy(e)), Diagnosis: v.diagnosis(e.Diagnosis)}
	if e.RecordedAt.Sub(e.At) >= time.Minute {
		d.Recorded = v.T("record.recorded", "at", v.clock(e.RecordedAt))
	}
	d.Title = v.T("record.from_open", "at", v.clock(e.At))
	if end := r.EndOf(e.Number); end != nil {
		d.Over, d.Title = true, v.T("record.from", "at", v.clock(e.At), "end", v.clock(end.At))
	}
	if remark := e.Person(disturbance.RoleRemark); remark != nil {
		d.Remark = clean(remark.Text, 2*disturbance.MaxRemarkRunes)
	}
	if later := r.LaterDiagnosis(e.Number); later != nil {
		d.Later, d.LaterWhen = new(v.diagnosis(later.Diagnosis)), v.T("record.later", "at", v.clock(later.At))
	}
	others := e.OtherNames()
	counts := disturbance.Counts{}
	if e.Others != nil {
		counts = *e.Others
	}
	for _, s := range disturbance.States() {
		n := *counts.Of(s)
		if n == 0 {
			continue
		}
		one := stateNames{State: state{Kind: stateIcon(s), Word: v.T("record_state." + string(s))}, Count: n}
		if !few || s != disturbance.StateReady && s != disturbance.StateUnknown {
			for _, p := range others[s] {
				one.Names = append(one.Names, clean(p.Name, maxNameRunes))
			}
		}
		d.States = append(d.States, one)
	}
	if j := r.Judge(e); j.PresumedOwn != "" {
		if r.Rules.PresumedOwn.NotFixed {
			d.Judgement = append(d.Judgement, judged{v.T("record.not_fixed"), v.T("record_truth." + string(j.NotFixed))})
		}
		if r.Rules.PresumedOwn.AllOthersUndisturbed {
			d.Judgement = append(d.Judgement, judged{v.T("record.others_undisturbed"), v.T("record_truth." + string(j.OthersUndisturbed))})
		}
		d.Presumed = v.T("record_truth." + string(j.PresumedOwn))
	}
	return d
}

func stateIcon(s disturbance.State) string {
	switch s {
	case disturbance.StateReported, disturbance.StateNotReady:
		return string(report.NotReady)
	case disturbance.StateLimited:
		return string(report.Limited)
	case disturbance.StateReady:
		return string(report.Ready)
	}
	return string(report.Unknown)
}

// personName returns the name of the person with a disturbance.
func (v view) personName(e disturbance.Entry) string {
	if p := e.Person(disturbance.RoleDisturbed); p != nil {
		return v.name(store.Participant{Name: p.Name})
	}
	return v.T("record.erased_name")
}

func (v view) madeBy(e disturbance.Entry) string {
	if e.By == disturbance.ByParticipant {
		return v.T("record.by_participant")
	}
	name := "?"
	if p := e.Person(disturbance.RoleStaff); p != nil {
		name = clean(p.Name, maxNameRunes)
	}
	return v.T("record.by_support", "name", name)
}

func (v view) diagnosis(d *disturbance.Diagnosis) diagnosis {
	if d == nil {
		return diagnosis{Area: v.area(report.AreaUnknown), Note: v.T("record.no_check")}
	}
	told := diagnosis{Area: v.area(d.Area), Code: clean(d.Cause, maxNameRunes), Evidence: v.evidence(d.Evidence)}
	switch {
	case d.CheckedAt.IsZero():
		told.Note = v.T("record.no_check")
	case d.Cause != "":
		told.Cause = v.causeName(d.Cause)
	case d.Verdict == report.Ready:
		told.Note = v.T("record.check_ready")
	default:
		told.Note = v.T("record.no_cause")
	}
	if !d.CheckedAt.IsZero() {
		told.Checked = v.clock(d.CheckedAt)
	}
	for _, code := range d.Common {
		told.Common = append(told.Common, v.causeName(code))
	}
	return told
}

func (v view) recordEntry(e disturbance.Entry) recordEntry {
	told := recordEntry{Number: e.Number, At: v.clock(e.At), Machine: e.At.In(v.zone).Format(time.RFC3339), Hash: e.Hash,
		What: v.T("record_kind."+string(e.Kind)) + ", " + v.madeBy(e)}
	if e.Kind == store.DisturbanceReported {
		told.What += ": " + v.personName(e)
	}
	for _, n := range e.NotFixed {
		told.What += "; " + v.T("record.not_fixed_n", "n", n)
	}
	if e.About > 0 {
		told.What += " (" + v.T("record.entry_n", "n", e.About) + ")"
	}
	if remark := e.Person(disturbance.RoleRemark); remark != nil {
		told.Text = clean(remark.Text, 2*disturbance.MaxRemarkRunes)
	}
	return told
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
