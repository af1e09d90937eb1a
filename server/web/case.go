package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// casePanel is the part of a participant's page about the case: who works on it, the notes, and
// the cause that it was.
type casePanel struct {
	Code    string
	Action  string // address of the forms
	Checked *when
	State   state
	Closed  bool
	By      string // who has taken or closed it; "" for nobody
	From    string // By as stored
	Since   *when
	Mine    bool
	Cause   string // the true cause, of a closed case
	Named   string // code of the named cause; "" for none
	Said    string // the named cause in words
	Entries []caseEntry
	Earlier string // address of the page with all entries; "" if these are all
	Groups  []causeGroup
	MaxText int
	Version string // changes with every entry
	Keep    string // changes if typed text no longer fits
	caseInput
}

// caseInput is what was typed into a form that could not be stored.
type caseInput struct {
	Problem string // in words
	Text    string
	Picked  string
	// AllEntries is set if the query requests all entries of the case.
	AllEntries bool
}

// A page shows the newest entries of a case, unless the query requests all.
const (
	maxShownEntries = 12
	entriesParam    = "entries"
	allEntries      = "all"
)

type caseEntry struct {
	When  *when
	By    string
	What  string
	Cause string
	Text  string
}

// causeGroup contains the causes of one area for the form that closes a case.
type causeGroup struct {
	Name   string
	Causes []causeChoice
}

type causeChoice struct{ Code, Sentence string }

// truthWithoutCode returns the true causes that are not in the catalogue: those without a code, and
// those that only the collector finds.
func truthWithoutCode() []string {
	return []string{store.CauseNone, store.CauseUnknown, store.CauseOther, fleet.CodeServer, fleet.CodeProvider, fleet.CodeSite, fleet.CodeVersion}
}

// isTrueCause reports whether a case can be closed with a cause.
func isTrueCause(code string) bool {
	_, known := diagnose.Lookup(code)
	return known || slices.Contains(truthWithoutCode(), code)
}

// causeName returns a named or true cause in words.
func (v view) causeName(code string) string {
	if code == "" {
		return v.T("case.nothing_named")
	}
	if slices.Contains(truthWithoutCode(), code) {
		return v.T("case_cause." + code)
	}
	if sentence, ok := diagnose.Sentence(code, v.lang); ok {
		return sentence
	}
	return v.T("cause.foreign")
}

// causeGroups returns all causes by area, for the form that closes a case.
func (v view) causeGroups() (groups []causeGroup) {
	rest := causeGroup{Name: v.T("case_group.without")}
	for _, code := range truthWithoutCode() {
		rest.Causes = append(rest.Causes, causeChoice{code, v.causeName(code)})
	}
	groups = append(groups, rest)
	place := map[string]int{}
	for _, d := range diagnose.Catalogue() {
		area, _, _ := strings.Cut(d.Code, ".")
		at, known := place[area]
		if !known {
			at = len(groups)
			place[area] = at
			groups = append(groups, causeGroup{Name: v.T("case_group." + area)})
		}
		groups[at].Causes = append(groups[at].Causes, causeChoice{d.Code, v.causeName(d.Code)})
	}
	return groups
}

// casePanel returns the panel of a case. by is the member of staff who requested the page.
func (v view) casePanel(c store.Case, checked time.Time, by string, input caseInput) *casePanel {
	kind := map[store.CaseState]string{store.CaseTaken: "info", store.CaseClosed: "ok"}[c.State]
	if kind == "" {
		kind = stateNone
	}
	p := &casePanel{Code: clean(c.Code, 12), Action: reportAddress(c.ParticipantID, c.ReportID) + "/case", Checked: v.when(checked),
		State: state{Kind: kind, Word: v.T("case_state." + string(c.State))}, Closed: c.State == store.CaseClosed,
		By: clean(c.By, maxNameRunes), From: c.By, Since: v.when(c.Since), Mine: c.By == by, MaxText: store.MaxCaseNoteRunes,
		Version: c.ReportID + "-" + strconv.Itoa(len(c.Entries)), Keep: c.ReportID + string(c.State) + c.By, caseInput: input}
	if known, ok := diagnose.Lookup(c.Named); ok {
		p.Named = known.Code
	}
	p.Said = v.causeName(c.Named)
	if p.Closed {
		p.Cause = v.causeName(c.Cause)
	} else {
		p.Groups = v.causeGroups()
	}
	entries := c.Entries
	if len(entries) > maxShownEntries && !input.AllEntries {
		entries = entries[len(entries)-maxShownEntries:]
		p.Earlier = reportAddress(c.ParticipantID, c.ReportID) + "?" + entriesParam + "=" + allEntries + "#case"
	}
	for _, e := range entries {
		one := caseEntry{When: v.when(e.At), By: clean(e.By, maxNameRunes), What: v.T("case_entry." + string(e.Kind)), Text: clean(e.Text, 2*store.MaxCaseNoteRunes)}
		if e.Kind == store.CaseWasClosed {
			one.Cause = v.causeName(e.Cause)
		}
		p.Entries = append(p.Entries, one)
	}
	return p
}

// takenFor is how long a case that a member of staff has taken keeps the page of a participant for
// that member. A call does not last longer, and a case that was not closed must not hide a new one.
const takenFor = 24 * time.Hour

// caseOf returns the case that a participant's page shows; nil if there is none. It is the case of the
// report in the address. Without a report there, it is the case that by, the member who requested the
// page, has taken (see takenFor), or else the case of the last check. A retest makes a new report, but
// the call is about the case whose code was read out.
func (s *site) caseOf(ctx context.Context, named *store.StoredReport, inAddress bool, cases []store.Case, by string) (*store.Case, time.Time, error) {
	if named == nil {
		return nil, time.Time{}, nil
	}
	id, checked := named.ID, named.CheckedAt
	if !inAddress {
		now := s.Now()
		mine := func(c store.Case) bool {
			return c.State == store.CaseTaken && c.By == by && now.Sub(c.Since) <= takenFor
		}
		if at := slices.IndexFunc(cases, mine); at >= 0 && cases[at].ReportID != id {
			taken, err := s.Store.Report(ctx, cases[at].ReportID)
			if err == nil {
				id, checked = taken.ID, taken.CheckedAt
			} else if !errors.Is(err, store.ErrNotFound) {
				return nil, time.Time{}, err
			}
		}
	}
	c, err := s.Store.Case(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, time.Time{}, nil // deleted in the meantime
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	return &c, checked, nil
}

// addCaseWork adds to the history who has taken or closed the cases.
func (p *participantPage) addCaseWork(v view, cases []store.Case) {
	for i, h := range p.History {
		for _, c := range cases {
			if c.ReportID == h.Report && c.State != store.CaseOpen {
				p.History[i].Work = v.T("case_state."+string(c.State)) + ": " + clean(c.By, maxNameRunes)
			}
		}
	}
}

// openCase is a case that somebody has taken, besides the one that the page shows.
type openCase struct {
	Code    string
	By      string
	Since   *when
	Address string
}

// maxOpenCases limits the links to cases that are still open.
const maxOpenCases = 5

// stillOpen returns the cases that somebody has taken, without the one of the report that the page
// is about.
func (v view) stillOpen(cases []store.Case, about string) (list []openCase) {
	for _, c := range cases {
		if c.State == store.CaseTaken && c.ReportID != about && len(list) < maxOpenCases {
			list = append(list, openCase{Code: clean(c.Code, 12), By: clean(c.By, maxNameRunes), Since: v.when(c.Since),
				Address: reportAddress(c.ParticipantID, c.ReportID) + "#case"})
		}
	}
	return list
}

// caseActions are the values of the buttons.
var caseActions = map[string]store.CaseEntryKind{"take": store.CaseWasTaken, "release": store.CaseReleased, "note": store.CaseNoted,
	"close": store.CaseWasClosed, "reopen": store.CaseReopened}

// changeCase adds an entry to the case of a report.
func (s *site) changeCase(w http.ResponseWriter, r *http.Request) error {
	kind, ok := caseActions[r.PostForm.Get("do")]
	if !ok {
		return fmt.Errorf("%w: do is %.20q", errMalformed, r.PostForm.Get("do"))
	}
	c, err := s.Store.Case(r.Context(), r.PathValue("report"))
	if err != nil {
		return err
	}
	if c.ParticipantID != r.PathValue("id") {
		return store.ErrNotFound
	}
	typed := r.PostForm.Get("text")
	e := store.CaseEntry{At: s.Now(), By: auth.StaffName(r.Context()), Kind: kind, From: r.PostForm.Get("from")}
	if kind == store.CaseNoted || kind == store.CaseWasClosed {
		e.Text = clean(typed, store.MaxCaseNoteRunes)
	}
	v := s.view(r)
	input := caseInput{Text: clean(typed, 2*store.MaxCaseNoteRunes)}
	if kind == store.CaseWasClosed {
		e.Cause = r.PostForm.Get("cause")
		input.Picked = e.Cause
	}
	problem := ""
	switch {
	case utf8.RuneCountInString(typed) > store.MaxCaseNoteRunes:
		problem = v.T("case.too_long", "max", store.MaxCaseNoteRunes)
	case kind == store.CaseNoted && e.Text == "":
		problem = v.T("case.empty")
	case kind == store.CaseWasClosed && !isTrueCause(e.Cause):
		problem = v.T("case.no_cause")
	case kind == store.CaseWasClosed && e.Cause == store.CauseOther && e.Text == "":
		problem = v.T("case.describe")
	}
	status := http.StatusUnprocessableEntity
	if problem == "" {
		_, err := s.Store.AddCaseEntry(r.Context(), c.ReportID, e)
		conflict, isConflict := errors.AsType[*store.CaseConflictError](err)
		_, isInput := errors.AsType[*store.InputError](err)
		switch {
		case isConflict:
			status, problem = http.StatusConflict, v.T("case_conflict."+string(conflict.State), "by", clean(conflict.By, maxNameRunes))
		case isInput:
			problem = v.T("case.full", "max", store.MaxCaseNotes)
		case err != nil:
			return err
		default:
			s.Log.InfoContext(r.Context(), "case changed", "participant", c.ParticipantID, "report", c.ReportID, "entry", kind)
			s.changed(c.ParticipantID)
			http.Redirect(w, r, reportAddress(c.ParticipantID, c.ReportID)+"#case", http.StatusSeeOther)
			return nil
		}
	}
	input.Problem = problem
	return s.showParticipant(w, r, status, input)
}
