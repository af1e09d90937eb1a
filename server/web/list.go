package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// Filters of the list.
const (
	showAll      = "all"
	showProblems = "problems"
	showUnknown  = "unknown"
	showReady    = "ready"
	showOld      = "old"
	showNever    = "never"
	showBlocked  = "blocked"
)

const (
	maxSearchBytes = report.MaxSpokenBytes
	rowsPerPage    = 100
	// rowsAtMost limits the page with all participants.
	rowsAtMost = 2000
	// similarRows is the number of suggestions if a search finds nobody.
	similarRows = 10
)

// listPage is the content of the list of participants.
type listPage struct {
	Search  string
	Show    string
	Order   store.Order
	Filters []filter
	Orders  []order
	Common  common
	Rows    []row
	Similar bool // Rows are suggestions, because nobody matches the search
	Choices []choice
	Pager   pager

	Revision string // see revision
	Now      string // RFC 3339
	Changes  string // address for changes since Revision
	Done     string // key of a confirmation; "" for none
	Form     numberForm
	// Undelivered are the channels through which alerts do not arrive; "" for none.
	Undelivered string
}

// pager links to the other pages of a list.
type pager struct {
	Whole string // address of the page with all participants; "" if this is it
	Next  string // address of the next page; "" on the last
	First string // address of the first page; "" on the first
}

const pagerID = "pages"

// filter is a filter of the list.
type filter struct {
	Show    string
	Word    string
	Kind    string // of the state whose icon it has; "" for none
	Count   int
	Address string
	Current bool
}

// ElementID returns the id of the HTML element.
func (f filter) ElementID() string { return "show-" + f.Show }

type order struct {
	Word    string
	Address string
	Current bool
}

// row is a participant in the list.
type row struct {
	ID, Name string
	Phone    string
	Dialled  string
	State    state
	Was      *state // the last verdict, if it is too old to count
	Full     *fullCheck
	Reason   *reason
	Case     string
	Checked  *when
	Seen     *when // only if State is stateOld
	Enrolled bool
	Blocked  bool
	Address  string
	Version  string // changes if the row contains news
	Only     bool   // the only hit of a search: Enter opens it
}

// ElementID returns the id of the HTML element.
func (r row) ElementID() string { return "p-" + r.ID }

// fullCheck is the last check with a microphone, if a later background check was made without.
type fullCheck struct {
	State state
	When  *when
}

func (v view) row(p store.ParticipantState) row {
	r := row{ID: p.ID, Name: v.name(p.Participant), Phone: clean(p.Phone, maxNameRunes), Dialled: telNumber(p.Phone),
		State: v.stateOf(p), Enrolled: p.Enrolled, Blocked: p.Blocked, Address: participantAddress(p.ID)}
	if p.Last == nil {
		return r
	}
	r.Reason, r.Case, r.Checked = new(v.reason(*p.Last)), clean(p.Last.Case, 12), v.when(p.Last.CheckedAt)
	r.Version = p.Last.ID
	if r.State.Kind == stateOld {
		r.Was, r.Seen = new(v.result(*p.Last)), v.when(p.LastSeenAt)
	}
	if p.Full != nil && p.Full.ReportID != p.Last.ID {
		r.Full = &fullCheck{State: v.verdict(p.Full.Verdict), When: v.when(p.Full.CheckedAt)}
	}
	return r
}

// name returns a name that is never empty, because it is the link to the participant.
func (v view) name(p store.Participant) string {
	if name := clean(p.Name, maxNameRunes); name != "" {
		return name
	}
	return v.T("participant.nameless")
}

func participantAddress(id string) string { return "/participants/" + url.PathEscape(id) }

func reportAddress(participantID, reportID string) string {
	return participantAddress(participantID) + "/reports/" + url.PathEscape(reportID)
}

// listQuery is the query of a list.
type listQuery struct {
	search string
	show   string
	order  store.Order
	after  string
	whole  bool // all participants on one page
}

func parseListQuery(r *http.Request) listQuery {
	q := r.URL.Query()
	a := listQuery{search: strings.TrimSpace(q.Get("q")), show: q.Get("show"), order: store.Order(q.Get("sort")), after: q.Get("after"), whole: q.Get("rows") == "all"}
	if len(a.search) > maxSearchBytes {
		a.search = strings.ToValidUTF8(a.search[:maxSearchBytes], "")
	}
	switch a.show {
	case showProblems, showUnknown, showReady, showOld, showNever, showBlocked:
	default:
		a.show = showAll
	}
	if a.order != store.ByName && a.order != store.ByRecent {
		a.order = store.ByUrgency
	}
	return a
}

func (a listQuery) address() string {
	if q := a.query(); q != "" {
		return "/?" + q
	}
	return "/"
}

// changesAddress returns the address for changes of the list.
func (a listQuery) changesAddress() string {
	if q := a.query(); q != "" {
		return "/changes?" + q
	}
	return "/changes"
}

func (a listQuery) query() string {
	q := url.Values{}
	for key, value := range map[string]string{"q": a.search, "show": a.show, "sort": string(a.order), "after": a.after} {
		if value != "" && value != showAll && value != string(store.ByUrgency) {
			q.Set(key, value)
		}
	}
	if a.whole {
		q.Set("rows", "all")
	}
	return q.Encode()
}

// openParam is the query parameter with which an open list requests itself again (live.js). It does
// not jump to a check that has arrived with the searched code.
const openParam = "open"

func (s *site) list(w http.ResponseWriter, r *http.Request) error {
	a := parseListQuery(r)
	if !r.URL.Query().Has(openParam) {
		address, err := s.caseAddress(r.Context(), a.search)
		if err != nil {
			return err
		}
		if address != "" {
			http.Redirect(w, r, address, http.StatusSeeOther)
			return nil
		}
	}
	v := s.view(r)
	var body listPage
	shown, err := s.readWindow(r.Context(), a, v)
	if err == nil {
		body, err = s.listed(r.Context(), a, v, shown)
	}
	if errors.Is(err, store.ErrBadCursor) {
		a.after = ""
		http.Redirect(w, r, a.address(), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	now, err := body.revision(string(v.lang))
	if err != nil {
		return err
	}
	body.Done, body.Form, body.Undelivered = done(r), newNumberForm(r, numbersAddress), s.undelivered()
	body.Revision, body.Now, body.Changes = now.name(), v.now.UTC().Format(time.RFC3339Nano), a.changesAddress()
	s.revisions.put(body.Revision, now)
	s.show(w, r, page{Name: "list", Stream: "/events", Search: a.search, Body: body})
	return nil
}

// listed completes the content of the list.
func (s *site) listed(ctx context.Context, a listQuery, v view, w window) (_ listPage, err error) {
	found := w.page
	similar := false
	if a.search != "" && len(found.States) == 0 && a.show == showAll {
		if found.States, err = s.Store.SimilarStates(ctx, a.search, similarRows); err != nil {
			return listPage{}, err
		}
		similar = len(found.States) > 0
	}
	var last []store.ReportSummary
	for _, p := range found.States {
		if p.Last != nil {
			last = append(last, *p.Last)
		}
	}
	if v.partial, err = s.partial(ctx, v.lang, last); err != nil {
		return listPage{}, err
	}
	body := v.list(a, found, w.counts)
	if body.Choices, err = s.choices(ctx, v, a.search); err != nil {
		return listPage{}, err
	}
	if a.search != "" && len(body.Rows) == 1 && len(body.Choices) == 0 && !similar {
		body.Rows[0].Only = true
	}
	body.Similar = similar
	body.Common = v.common(s.Common())
	return body, nil
}

// states reads one page, or all pages. Sorted by urgency, problems come first, so that the filter
// for problems ends the list at the first row without one.
// store.ErrBadCursor means that the address belongs to another list.
func (s *site) states(ctx context.Context, a listQuery, since time.Time) (store.StatePage, error) {
	q := store.StateQuery{Search: a.search, Order: a.sorted(), After: a.after, FreshSince: since, Limit: rowsPerPage, Blocked: store.BlockedNot}
	switch a.show {
	case showUnknown:
		q.Verdict = report.Unknown
	case showReady:
		q.Verdict = report.Ready
	case showOld:
		q.Old = true
	case showNever:
		q.Never = true
	case showBlocked:
		q.Blocked = store.BlockedOnly
	}
	if a.search != "" && a.show == showAll {
		q.Blocked = store.BlockedToo // blocked participants may call as well
	}
	if a.whole {
		q.Limit = store.MaxPage
	}
	found, err := s.Store.ParticipantStates(ctx, q)
	for a.whole && err == nil && found.Next != "" && len(found.States) < rowsAtMost {
		q.After = found.Next
		var more store.StatePage
		more, err = s.Store.ParticipantStates(ctx, q)
		found.States, found.Next = append(found.States, more.States...), more.Next
	}
	if err != nil || a.show != showProblems {
		return found, err
	}
	for i, p := range found.States {
		if !isProblem(p, since) {
			return store.StatePage{States: found.States[:i]}, nil
		}
	}
	return found, nil
}

func (v view) list(a listQuery, found store.StatePage, counts store.StateCounts) listPage {
	p := listPage{Search: a.search, Show: a.show, Order: a.order, Filters: v.filters(a, counts)}
	for _, o := range []store.Order{store.ByUrgency, store.ByName, store.ByRecent} {
		to := listQuery{search: a.search, show: a.show, order: o}
		p.Orders = append(p.Orders, order{Word: v.T("order." + string(o)), Address: to.address(), Current: o == a.order})
	}
	if a.show == showProblems {
		p.Orders = nil // always sorted by urgency
	}
	for _, participant := range found.States {
		p.Rows = append(p.Rows, v.row(participant))
	}
	if found.Next != "" {
		next := a
		next.after = found.Next
		p.Pager.Next = next.address()
	}
	if (found.Next != "" || a.after != "") && !a.whole {
		whole := a
		whole.after, whole.whole = "", true
		p.Pager.Whole = whole.address()
	}
	if a.after != "" {
		first := a
		first.after = ""
		p.Pager.First = first.address()
	}
	return p
}

func (v view) filters(a listQuery, counts store.StateCounts) []filter {
	problems := counts.Fresh[report.NotReady] + counts.Fresh[report.Limited]
	unknown, ready := counts.Fresh[report.Unknown], counts.Fresh[report.Ready]
	var list []filter
	for _, f := range []struct {
		show, kind string
		count      int
		always     bool
	}{
		{showAll, "", problems + unknown + ready + counts.Old + counts.Never, true},
		{showProblems, string(report.NotReady), problems, true},
		{showUnknown, string(report.Unknown), unknown, true},
		{showReady, string(report.Ready), ready, true},
		{showOld, stateOld, counts.Old, true},
		{showNever, stateNone, counts.Never, true},
		{showBlocked, "", counts.Blocked, false},
	} {
		if f.count == 0 && !f.always && f.show != a.show {
			continue
		}
		to := listQuery{search: a.search, show: f.show, order: a.order}
		list = append(list, filter{Show: f.show, Word: v.T("filter." + f.show), Kind: f.kind, Count: f.count, Address: to.address(), Current: f.show == a.show})
	}
	return list
}
