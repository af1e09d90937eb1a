package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// What the list can be narrowed down to.
const (
	showAll      = "all"
	showProblems = "problems"
	showUnknown  = "unknown"
	showReady    = "ready"
)

const maxSearchBytes = 200

// listPage is the content of the list of participants.
type listPage struct {
	Search  string
	Show    string
	Order   store.Order
	Filters []filter
	Orders  []order
	Rows    []row
	Next    string // address of the next page; "" on the last
	First   string // address of the first page; "" on it
}

// filter is one way to narrow the list down.
type filter struct {
	Word    string
	Kind    string // of state, for the icon; "" for none
	Count   int
	Address string
	Current bool
}

type order struct {
	Word    string
	Address string
	Current bool
}

// row is one participant.
type row struct {
	ID, Name string
	Phone    string
	Dialled  string
	State    state
	Was      *state // the last verdict, when it is too old to be the state
	Full     *fullCheck
	Reason   *reason
	Case     string
	Checked  *when
	Seen     *when // only when offline
	Enrolled bool
	Blocked  bool
	Address  string
	Version  string // changes when there is something new to say
}

// fullCheck is the last check that heard the microphone, where a later one in
// the background did not.
type fullCheck struct {
	State state
	When  *when
}

func (v view) row(p store.ParticipantState) row {
	r := row{ID: p.ID, Name: v.name(p.Participant), Phone: clean(p.Phone, maxNameRunes), Dialled: dialled(p.Phone),
		State: v.stateOf(p), Enrolled: p.Enrolled, Blocked: p.Blocked, Address: participantAddress(p.ID)}
	if p.Last == nil {
		return r
	}
	r.Reason, r.Case, r.Checked = new(v.reason(*p.Last)), clean(p.Last.Case, 12), v.when(p.Last.CheckedAt)
	r.Version = p.Last.ID
	if r.State.Kind == stateOffline {
		r.Was, r.Seen = new(v.result(*p.Last)), v.when(p.LastSeenAt)
	}
	if p.Full != nil && p.Full.ReportID != p.Last.ID {
		r.Full = &fullCheck{State: v.verdict(p.Full.Verdict), When: v.when(p.Full.CheckedAt)}
	}
	return r
}

// name is never empty: a row without one could not be opened.
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

// asked is what the address of a list says.
type asked struct {
	search string
	show   string
	order  store.Order
	after  string
}

func askedBy(r *http.Request) asked {
	q := r.URL.Query()
	a := asked{search: strings.TrimSpace(q.Get("q")), show: q.Get("show"), order: store.Order(q.Get("sort")), after: q.Get("after")}
	if len(a.search) > maxSearchBytes {
		a.search = strings.ToValidUTF8(a.search[:maxSearchBytes], "")
	}
	switch a.show {
	case showProblems, showUnknown, showReady:
	default:
		a.show = showAll
	}
	if a.order != store.ByName && a.order != store.ByRecent {
		a.order = store.ByUrgency
	}
	return a
}

func (a asked) address() string {
	q := url.Values{}
	for key, value := range map[string]string{"q": a.search, "show": a.show, "sort": string(a.order), "after": a.after} {
		if value != "" && value != showAll && value != string(store.ByUrgency) {
			q.Set(key, value)
		}
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func (s *site) list(w http.ResponseWriter, r *http.Request) error {
	a := askedBy(r)
	if address, err := s.caseAddress(r, a.search); err != nil {
		return err
	} else if address != "" {
		http.Redirect(w, r, address, http.StatusSeeOther)
		return nil
	}
	found, err := s.states(r, a)
	if errors.Is(err, store.ErrBadCursor) {
		a.after = ""
		http.Redirect(w, r, a.address(), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	counts, err := s.Store.CountStates(r.Context())
	if err != nil {
		return err
	}
	v := s.view(r)
	var last []store.ReportSummary
	for _, p := range found.States {
		if p.Last != nil {
			last = append(last, *p.Last)
		}
	}
	if v.partial, err = s.partial(r.Context(), v.lang, last); err != nil {
		return err
	}
	s.show(w, r, page{Name: "list", Stream: "/events", Body: v.list(a, found, counts)})
	return nil
}

// caseAddress leads straight to the report of a case code; "" when the search
// is none, or when several people hold the same one: then the list shows them.
func (s *site) caseAddress(r *http.Request, search string) (string, error) {
	code, ok := report.NormalizeCase(search)
	if !ok {
		return "", nil
	}
	hits, err := s.Store.CaseReports(r.Context(), code, store.DefaultPage)
	if err != nil || len(hits) == 0 {
		return "", err
	}
	for _, h := range hits {
		if h.ParticipantID != hits[0].ParticipantID {
			return "", nil
		}
	}
	return reportAddress(hits[0].ParticipantID, hits[0].ID), nil // the newest
}

// states reads one page. Problems come first by urgency, so that the list of
// problems is that list up to the first row which is none.
func (s *site) states(r *http.Request, a asked) (store.StatePage, error) {
	q := store.StateQuery{Search: a.search, Order: a.order, After: a.after}
	switch a.show {
	case showUnknown:
		q.Verdict = report.Unknown
	case showReady:
		q.Verdict = report.Ready
	case showProblems:
		q.Order = store.ByUrgency
	}
	found, err := s.Store.ParticipantStates(r.Context(), q)
	if err != nil || a.show != showProblems {
		return found, err
	}
	for i, p := range found.States {
		if p.Verdict != report.NotReady && p.Verdict != report.Limited {
			return store.StatePage{States: found.States[:i]}, nil
		}
	}
	return found, nil
}

func (v view) list(a asked, found store.StatePage, counts map[string]int) listPage {
	p := listPage{Search: a.search, Show: a.show, Order: a.order, Filters: v.filters(a, counts)}
	for _, o := range []store.Order{store.ByUrgency, store.ByName, store.ByRecent} {
		to := asked{search: a.search, show: a.show, order: o}
		p.Orders = append(p.Orders, order{Word: v.T("order." + string(o)), Address: to.address(), Current: o == a.order})
	}
	if a.show == showProblems {
		p.Orders = nil // these have one order only
	}
	for _, participant := range found.States {
		p.Rows = append(p.Rows, v.row(participant))
	}
	if found.Next != "" {
		next := a
		next.after = found.Next
		p.Next = next.address()
	}
	if a.after != "" {
		first := a
		first.after = ""
		p.First = first.address()
	}
	return p
}

func (v view) filters(a asked, counts map[string]int) []filter {
	all := 0
	for _, n := range counts {
		all += n
	}
	count := func(verdicts ...report.Verdict) (n int) {
		for _, verdict := range verdicts {
			n += counts[string(verdict)]
		}
		return n
	}
	var list []filter
	for _, f := range []struct {
		show, kind string
		count      int
	}{
		{showAll, "", all},
		{showProblems, string(report.NotReady), count(report.NotReady, report.Limited)},
		{showUnknown, string(report.Unknown), count(report.Unknown)},
		{showReady, string(report.Ready), count(report.Ready)},
	} {
		to := asked{search: a.search, show: f.show, order: a.order}
		list = append(list, filter{Word: v.T("filter." + f.show), Kind: f.kind, Count: f.count, Address: to.address(), Current: f.show == a.show})
	}
	return list
}
