package web

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/privacy"
	"github.com/tonprobe/tonprobe/server/store"
)

const mineAddress = wire.OwnPagePath

// Limits of one page; the archive contains everything.
const (
	ownChecks       = 20
	ownAccesses     = 50
	ownDisturbances = 50
	ownNotes        = 10 // of a check
)

// mineForm is the content of the form for the code of a person's own page.
type mineForm struct {
	Problem string // key of the texts; "" for none
	Minutes int    // to wait after too many attempts
}

// minePage is the page of a participant about themselves.
type minePage struct {
	Name, Phone   string
	Blocked       bool
	Added         *when
	Councils      []string
	Computers     []ownComputer
	Checks        []ownCheck
	First, Next   string // addresses of other checks; "" for none
	Disturbances  []ownDisturbance
	MoreRecords   bool
	Accesses      []ownAccess
	MoreAccesses  bool
	Keep          []retentionRow
	Export, Close string // addresses
	VisitMinutes  int
}

type ownComputer struct {
	System, Version         string
	Enrolled, Seen, Revoked *when // nil for never
}

type ownCheck struct {
	check
	Computer string
	Work     string // state of the case
	Was      string // the true cause; "" for none
	Notes    []ownNote
	More     int // notes that are left out
	Download string
}

type ownNote struct {
	When            *when
	By, What, Cause string
	Text            string
}

type ownDisturbance struct {
	When                             *when
	Council, What, Role, State, Text string
}

type ownAccess struct {
	When            *when
	Who, Role, What string
	Case            string // "" if it was about no case, or one that is deleted
}

// mine shows the page, or asks for a code.
func (s *site) mine(w http.ResponseWriter, r *http.Request) error {
	id, err := s.own.Participant(r)
	if errors.Is(err, auth.ErrNoSession) {
		s.show(w, r, page{Name: "mine_code", Body: mineForm{}})
		return nil
	}
	if err != nil {
		return err
	}
	part := privacy.Part{Checks: ownChecks, Accesses: ownAccesses, After: r.URL.Query().Get("after")}
	p, err := privacy.CollectPart(r.Context(), s.Store, id, s.Now(), part)
	if errors.Is(err, store.ErrBadCursor) {
		part.After = ""
		p, err = privacy.CollectPart(r.Context(), s.Store, id, s.Now(), part)
	}
	if err != nil {
		return err
	}
	v := s.view(r)
	body := minePage{Name: v.name(store.Participant{Name: p.Name}), Phone: clean(p.Phone, maxNameRunes), Blocked: p.Blocked, Added: v.when(p.AddedAt),
		Export: mineAddress + "/export", Close: mineAddress + "/close", VisitMinutes: int(auth.OwnPageVisitTTL / time.Minute), MoreAccesses: p.MoreAccesses}
	for _, c := range p.Councils {
		body.Councils = append(body.Councils, clean(c, maxNameRunes))
	}
	systems := map[string]string{}
	for _, c := range p.Computers {
		systems[c.ID] = system(c.OS)
		body.Computers = append(body.Computers, ownComputer{System: system(c.OS), Version: clean(c.Version, 40), Enrolled: v.when(c.EnrolledAt), Seen: v.when(c.LastSeenAt), Revoked: v.when(c.RevokedAt)})
	}
	codes := map[string]string{}
	for _, c := range p.Checks {
		stored, err := s.Store.Report(r.Context(), c.Report)
		if errors.Is(err, store.ErrNotFound) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		one := v.ownCheck(c, stored)
		one.Computer, codes[c.Report] = systems[c.Computer], one.Case
		body.Checks = append(body.Checks, one)
	}
	if part.After != "" {
		body.First = mineAddress
	}
	if p.NextCheck != "" {
		body.Next = addressWith(mineAddress, url.Values{"after": {p.NextCheck}})
	}
	for _, d := range slices.Backward(p.Disturbances) {
		if body.MoreRecords = len(body.Disturbances) == ownDisturbances; body.MoreRecords {
			break
		}
		body.Disturbances = append(body.Disturbances, v.ownDisturbance(d))
	}
	for _, a := range p.Accesses {
		code, known := codes[a.Report]
		if !known && a.Report != "" {
			stored, err := s.Store.Report(r.Context(), a.Report)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			code = clean(stored.Case, 12)
			codes[a.Report] = code
		}
		body.Accesses = append(body.Accesses, v.ownAccess(a, code))
	}
	for _, class := range store.DataClasses() {
		body.Keep = append(body.Keep, retentionRow{What: v.T("mine_keep." + string(class)), Keep: v.keep(s.Keep, class)})
	}
	s.show(w, r, page{Name: "mine", Body: body})
	return nil
}

// keep says how long a class of data is kept.
func (v view) keep(periods map[store.DataClass]time.Duration, class store.DataClass) string {
	period, deletes := periods[class]
	switch days := int(period / (24 * time.Hour)); {
	case !deletes:
		return v.T("mine.for_ever")
	case days > 0:
		return v.T("mine.days", "n", strconv.Itoa(days))
	}
	return v.T("mine.at_once")
}

func (v view) ownCheck(c privacy.Check, stored store.StoredReport) ownCheck {
	one := ownCheck{check: v.check(stored), Work: v.T("case_state." + c.State), Download: mineAddress + "/reports/" + c.Report}
	if c.TrueCause != "" {
		one.Was = v.causeName(c.TrueCause)
	}
	for i, n := range c.Notes {
		if i == ownNotes {
			one.More = len(c.Notes) - i
			break
		}
		note := ownNote{When: v.when(n.At), By: clean(n.StaffName, maxNameRunes), What: v.T("case_entry." + n.Kind), Text: clean(n.Text, store.MaxCaseNoteRunes)}
		if n.Cause != "" {
			note.Cause = v.causeName(n.Cause)
		}
		one.Notes = append(one.Notes, note)
	}
	return one
}

func (v view) ownDisturbance(d privacy.Disturbance) ownDisturbance {
	one := ownDisturbance{When: v.when(d.At), Council: clean(d.Council, maxNameRunes), What: v.T("record_kind." + d.Kind), Role: v.T("mine_role." + d.Role),
		Text: clean(d.Text, store.MaxCaseNoteRunes)}
	if d.State != "" {
		one.State = v.T("record_state." + d.State)
	}
	return one
}

func (v view) ownAccess(a privacy.Access, code string) ownAccess {
	one := ownAccess{When: v.when(a.At), Who: clean(a.StaffName, maxNameRunes), What: clean(a.Kind, maxNameRunes), Case: code}
	if store.IsAuditKind(a.Kind) {
		one.What = v.T("audit_kind." + a.Kind)
	}
	switch {
	case store.IsOwnAccess(store.AuditKind(a.Kind)):
		one.Who = v.T("mine.self")
	case one.Who == "":
		one.Who = v.T("mine.program")
	}
	if store.IsRole(a.Role) {
		one.Role = v.T("role." + a.Role)
	}
	return one
}

// openMine redeems a code.
func (s *site) openMine(w http.ResponseWriter, r *http.Request) error {
	visit, err := s.own.Open(r.Context(), peer.Addr(r), r.PostForm.Get("code"))
	form, status := mineForm{}, http.StatusUnprocessableEntity
	limited, tooOften := errors.AsType[*auth.LimitError](err)
	switch {
	case err == nil:
		if err := s.record(r, store.AuditEntry{Kind: store.AuditOwnPageOpened, ParticipantID: visit.ParticipantID}); err != nil {
			return err
		}
		s.own.SetCookie(w, r, visit)
		http.Redirect(w, r, mineAddress, http.StatusSeeOther)
		return nil
	case errors.Is(err, auth.ErrOwnPageCode):
		form.Problem = "mine.wrong"
	case tooOften:
		form.Minutes = waitMinutes(w, limited.RetryAfter)
		form.Problem, status = tooOftenKey(form.Minutes), http.StatusTooManyRequests
	default:
		return err
	}
	s.show(w, r, page{Status: status, Name: "mine_code", Path: mineAddress, Body: form})
	return nil
}

func (s *site) closeMine(w http.ResponseWriter, r *http.Request) error {
	if err := s.own.Close(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, mineAddress, http.StatusSeeOther)
	return nil
}

// ownDownload returns the participant of a visit and records the download. id is "" if the request was
// redirected to the form.
func (s *site) ownDownload(w http.ResponseWriter, r *http.Request) (id string, err error) {
	id, err = s.own.Participant(r)
	if errors.Is(err, auth.ErrNoSession) {
		http.Redirect(w, r, mineAddress, http.StatusSeeOther)
		return "", nil
	}
	return id, err
}

// ownExport serves everything that is stored about the participant.
func (s *site) ownExport(w http.ResponseWriter, r *http.Request) error {
	id, err := s.ownDownload(w, r)
	if id == "" {
		return err
	}
	p, err := privacy.Collect(r.Context(), s.Store, id, s.Now())
	if err != nil {
		return err
	}
	var archive bytes.Buffer // see exportPerson
	if err := privacy.WriteArchive(r.Context(), &archive, s.Store, p, s.Zone); err != nil {
		return err
	}
	if err := s.record(r, store.AuditEntry{Kind: store.AuditOwnPageDownloaded, ParticipantID: id}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+privacy.ArchiveName(p)+`"`)
	_, _ = w.Write(archive.Bytes()) // the client may have gone
	return nil
}

// ownDocument serves a report of the participant as it is stored.
func (s *site) ownDocument(w http.ResponseWriter, r *http.Request) error {
	id, err := s.ownDownload(w, r)
	if id == "" {
		return err
	}
	stored, err := s.Store.Report(r.Context(), r.PathValue("report"))
	if err != nil {
		return err
	}
	if stored.ParticipantID != id {
		return store.ErrNotFound
	}
	if err := s.record(r, store.AuditEntry{Kind: store.AuditOwnPageDownloaded, ParticipantID: id, ReportID: stored.ID}); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="tonprobe-`+clean(stored.Case, 12)+`.json"`)
	_, _ = w.Write(stored.Document)
	return nil
}
