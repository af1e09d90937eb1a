package web

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// casesAddress is the address of the list of cases.
const casesAddress = "/cases"

// casesPerPage is the number of cases on the page. Their rows are longer than those of other lists.
const casesPerPage = 80

// Filters of the list of cases.
const (
	showDesk   = "desk"
	showMine   = "mine"
	showClosed = "closed"
)

// casesPage is the content of the list of cases.
type casesPage struct {
	Now     string // RFC 3339
	Show    string
	Filters []filter
	Orders  []order // none for a list with only one order
	Groups  []caseGroup
	More    string // "" if all are listed
}

// caseGroup is one list of cases on the page.
type caseGroup struct {
	Key   string // of the texts
	State state
	Count int
	Rows  []caseRow
}

// caseRow is a case in the list.
type caseRow struct {
	ID      string // of the participant
	Name    string
	Phone   string
	Dialled string
	Code    string
	State   state // of the check that the case is about
	Said    reason
	Was     string // the actual cause, of a closed case
	By      string // "" for nobody
	Mine    bool
	Since   *when
	Present *state // the last check, if it is another one
	Address string
	Version string // changes if the row contains news
}

// ElementID returns the id of the HTML element.
func (r caseRow) ElementID() string { return "c-" + r.ID }

// casesQuery is the query of the list of cases.
type casesQuery struct {
	show  string
	order store.DeskOrder
}

func (q casesQuery) address() string {
	values := url.Values{}
	if q.show != showDesk {
		values.Set("show", q.show)
	}
	if q.order != store.ByWorst {
		values.Set("sort", string(q.order))
	}
	if len(values) == 0 {
		return casesAddress
	}
	return casesAddress + "?" + values.Encode()
}

func parseCasesQuery(r *http.Request) casesQuery {
	q := casesQuery{show: r.URL.Query().Get("show"), order: store.DeskOrder(r.URL.Query().Get("sort"))}
	if q.show != showMine && q.show != showClosed {
		q.show = showDesk
	}
	if q.order != store.ByWaiting {
		q.order = store.ByWorst
	}
	return q
}

func (s *site) cases(w http.ResponseWriter, r *http.Request) error {
	q, v := parseCasesQuery(r), s.view(r)
	local := v.now.In(v.zone)
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, v.zone)
	desk, err := s.Store.Desk(r.Context(), store.DeskQuery{FreshSince: v.since, ClosedSince: today, Order: q.order, By: auth.StaffName(r.Context()), Limit: casesPerPage})
	if err != nil {
		return err
	}
	var checks []store.ReportSummary
	for _, list := range [][]store.DeskCase{desk.Open, desk.Taken, desk.Mine, desk.Closed} {
		for _, c := range list {
			checks = append(checks, c.Check)
			if c.Person.Last != nil {
				checks = append(checks, *c.Person.Last)
			}
		}
	}
	if v.partial, err = s.partial(r.Context(), v.lang, checks); err != nil {
		return err
	}
	s.show(w, r, page{Name: "cases", Stream: "/events", Body: v.cases(q, desk, auth.StaffName(r.Context()))})
	return nil
}

func (v view) cases(q casesQuery, desk store.Desk, by string) casesPage {
	p := casesPage{Now: v.now.UTC().Format(time.RFC3339Nano), Show: q.show}
	count := desk.Counts
	for _, f := range []struct {
		show  string
		count int
	}{{showDesk, count.Open + count.Taken}, {showMine, count.Mine}, {showClosed, count.Closed}} {
		to := casesQuery{show: f.show, order: q.order}
		p.Filters = append(p.Filters, filter{Show: "case-" + f.show, Word: v.T("cases.show_" + f.show), Count: f.count, Address: to.address(), Current: f.show == q.show})
	}
	add := func(key, kind string, count int, list []store.DeskCase) {
		if len(list) == 0 {
			return
		}
		g := caseGroup{Key: key, State: state{Kind: kind, Word: v.T("cases." + key)}, Count: count}
		for _, c := range list {
			if c.Person.ID != "" { // otherwise deleted in the meantime
				g.Rows = append(g.Rows, v.caseRow(c, by))
			}
		}
		p.Groups = append(p.Groups, g)
	}
	switch q.show {
	case showMine:
		add("taken", "info", count.Mine, desk.Mine)
	case showClosed:
		add("closed_today", "ok", count.Closed, desk.Closed)
	default:
		for _, o := range []store.DeskOrder{store.ByWorst, store.ByWaiting} {
			to := casesQuery{show: q.show, order: o}
			p.Orders = append(p.Orders, order{Word: v.T("cases." + string(o)), Address: to.address(), Current: o == q.order})
		}
		// The page has at most as many rows as any list. Waiting cases come first.
		add("open", stateNone, count.Open, desk.Open)
		add("taken", "info", count.Taken, desk.Taken[:min(len(desk.Taken), casesPerPage-len(desk.Open))])
	}
	shown, all := 0, map[string]int{showDesk: count.Open + count.Taken, showMine: count.Mine, showClosed: count.Closed}[q.show]
	for _, g := range p.Groups {
		shown += len(g.Rows)
	}
	if shown < all {
		p.More = v.T("cases.more", "n", shown, "all", all)
	}
	return p
}

func (v view) caseRow(c store.DeskCase, by string) caseRow {
	r := caseRow{ID: c.ParticipantID, Name: v.name(c.Person.Participant), Phone: clean(c.Person.Phone, maxNameRunes), Dialled: telNumber(c.Person.Phone),
		Code: clean(c.Code, 12), State: v.result(c.Check), Said: v.reason(c.Check), By: clean(c.By, maxNameRunes), Mine: c.By == by,
		Since: v.when(cmp.Or(c.Since, c.Check.CheckedAt)), Address: reportAddress(c.ParticipantID, c.ReportID) + "#case",
		Version: c.ReportID + string(c.State) + c.By}
	if c.State == store.CaseClosed {
		r.Was = v.causeName(c.Cause)
	}
	if last := c.Person.Last; last != nil && last.ID != c.ReportID {
		r.Present = new(v.result(*last))
	}
	return r
}
