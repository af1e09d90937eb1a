package web

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server/store"
)

// sessionsPage is the list of the next sessions.
type sessionsPage struct {
	Sessions []sessionRow
	Next     string // address of the next page; "" if this is the last
	First    string // address of the first page; "" if this is it
}

// sessionRow is a session in words.
type sessionRow struct {
	Council, Title, Place string
	Starts                string // in the zone of the pages
	Machine               string // RFC 3339, for the datetime attribute
	Ends                  string // "" if not known
	Running, Cancelled    bool
	Address               string // of the roll call
}

func sessionAddress(id string) string { return "/sessions/" + url.PathEscape(id) }

func (v view) session(s store.CouncilSession, council store.Council) sessionRow {
	start := s.StartsAt.In(v.zone)
	r := sessionRow{Council: clean(council.Name, maxNameRunes), Title: clean(s.Title, maxNameRunes), Place: clean(s.Place, maxNameRunes),
		Starts: start.Format(v.exactFormat()), Machine: start.Format(time.RFC3339), Cancelled: s.Cancelled, Address: sessionAddress(s.ID),
		Running: !s.Cancelled && !v.now.Before(s.StartsAt) && v.now.Before(s.Closes())}
	if !s.EndsAt.IsZero() {
		r.Ends = s.EndsAt.In(v.zone).Format("15:04")
	}
	return r
}

// sessions shows the sessions that have not ended.
func (s *site) sessions(w http.ResponseWriter, r *http.Request) error {
	v, after := s.view(r), r.URL.Query().Get("after")
	found, err := s.Store.CouncilSessions(r.Context(), store.SessionQuery{From: v.now, After: after})
	if errors.Is(err, store.ErrBadCursor) {
		http.Redirect(w, r, "/sessions", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	body := sessionsPage{}
	if found.Next != "" {
		body.Next = "/sessions?" + url.Values{"after": {found.Next}}.Encode()
	}
	if after != "" {
		body.First = "/sessions"
	}
	councils := map[string]store.Council{}
	for _, one := range found.Sessions {
		council, known := councils[one.CouncilID]
		if !known {
			if council, err = s.Store.Council(r.Context(), one.CouncilID); err != nil {
				return err
			}
			councils[one.CouncilID] = council
		}
		body.Sessions = append(body.Sessions, v.session(one, council))
	}
	s.show(w, r, page{Name: "sessions", Body: body})
	return nil
}

// projectorParam is the query parameter of a roll call for everybody in the room: without phone
// numbers, case codes and causes.
const projectorParam = "projector"

// rollPage is the roll call of a session.
type rollPage struct {
	sessionRow
	Now    string // RFC 3339
	Since  string // checks count from here on, in the zone of the pages
	Common common // the common causes that affect members
	Counts []rollCount
	Rows   []rollRow
	// Groups are the members without a row of their own, by state, if there are too many.
	Groups    []rollGroup
	Members   int
	Dense     bool // too many for more than their names on one projected screen
	Crowded   bool // members who are not ready are among the groups for lack of space
	Projector bool
	Other     string // address with and without the projector mode
	Record    string // address of the disturbance record
	Missing   int    // members who have not set up a computer; 0 on the projector
	Letters   string // address of their letters
	Open      string // the disturbances that are not over; "" for none
}

// rollCount is the number of members with a state.
type rollCount struct {
	State state
	Count int
}

// rollRow is a member. Its embedded row has the state and the age of the check for this session.
type rollRow struct {
	row
	Asleep *when // the last contact, if the check is too old; nil if there was none

	checkedAt time.Time // zero for never
}

// rollGroup contains members with one state in short: who they are, and how to reach them. A folded one
// shows only its count until it is opened.
type rollGroup struct {
	State   state
	Members []rollMember
	Folded  bool
}

// At is the time of the check, on another day than the session only the day.
type rollMember struct{ Name, Address, Phone, At string }

// A roll call stays under 100 kB with 500 members: as many rows as fit, the worst first, and the
// others in short.
const (
	rollBytes      = 88_000 // of all members
	rollRowBytes   = 930    // without name, phone number and cause
	rollShortBytes = 100    // without name and phone number
	minRollRows    = 10
	// rollAllRows is the most members whose rows fit on one screen. In a larger council those who are ready are in
	// short, because nobody has to call them; on the projector, everybody is.
	rollAllRows = 12
	// rollDense is the most members who fit on one projected screen with the times of their checks. In a larger
	// council those who are ready are folded at the desk.
	rollDense = 120
)

func (r rollRow) shortBytes() int {
	return rollShortBytes + len(html.EscapeString(r.Name)) + len(html.EscapeString(r.Phone))
}

func (r rollRow) rowBytes() int {
	n := rollRowBytes + len(html.EscapeString(r.Name)) + 2*len(html.EscapeString(r.Phone))
	if r.Reason != nil {
		n += len(html.EscapeString(r.Reason.Sentence))
	}
	return n
}

// fullRows returns how many of the rows are shown as such.
func fullRows(rows []rollRow) int {
	left := rollBytes
	for _, r := range rows {
		left -= r.shortBytes()
	}
	more := 0
	for left > 0 && more < len(rows) {
		left -= rows[more].rowBytes() - rows[more].shortBytes()
		more++
	}
	return min(len(rows), max(minRollRows, more))
}

// shorten leaves as many rows as fit, and puts the others into groups.
func (p *rollPage) shorten(v view) {
	p.Members = len(p.Rows)
	p.Dense = p.Members > rollDense
	n := fullRows(p.Rows)
	if p.Members > rollAllRows {
		ready := slices.IndexFunc(p.Rows, func(r rollRow) bool { return r.State.Kind == rollKind(store.RollGreen) })
		p.Crowded = n < p.Members && (ready < 0 || n < ready)
		if ready >= 0 {
			n = min(n, ready)
		}
		if p.Projector {
			n, p.Crowded = 0, false
		}
	}
	for _, r := range p.Rows[n:] {
		if last := len(p.Groups) - 1; last < 0 || p.Groups[last].State != r.State {
			p.Groups = append(p.Groups, rollGroup{State: r.State})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Members = append(g.Members, rollMember{r.Name, r.Address, r.Phone, v.shortTime(r.checkedAt)})
	}
	for i := range p.Groups {
		p.Groups[i].Folded = p.Dense && !p.Projector && p.Groups[i].State.Kind == rollKind(store.RollGreen)
	}
	p.Rows = p.Rows[:n]
}

// shortTime returns the time of a check since checks count, and otherwise its day; "" for zero.
func (v view) shortTime(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case !t.Before(v.since):
		return t.In(v.zone).Format("15:04")
	case v.lang == phrase.DE:
		return t.In(v.zone).Format("02.01.")
	}
	return t.In(v.zone).Format("2 Jan")
}

// rollKind returns the icon of a state.
func rollKind(s store.RollState) string {
	switch s {
	case store.RollRed:
		return "not_ready"
	case store.RollAmber:
		return "limited"
	case store.RollBlue:
		return stateOld
	case store.RollGreen:
		return "ready"
	}
	return stateNone
}

func (v view) rollState(s store.RollState) state {
	return state{Kind: rollKind(s), Word: v.T("rollcall." + string(s))}
}

func (s *site) rollCall(w http.ResponseWriter, r *http.Request) error {
	session, err := s.Store.CouncilSession(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	council, err := s.Store.Council(r.Context(), session.CouncilID)
	if err != nil {
		return err
	}
	members, _, err := s.Store.CouncilMembers(r.Context(), session.CouncilID)
	if err != nil {
		return err
	}
	v := s.view(r)
	v.since = store.RollSince(session.StartsAt, v.zone)
	var checks []store.ReportSummary
	ids := map[string]bool{}
	for _, m := range members {
		ids[m.ID] = true
		if m.Last != nil {
			checks = append(checks, *m.Last)
		}
	}
	if v.partial, err = s.partial(r.Context(), v.lang, checks); err != nil {
		return err
	}
	projector := r.URL.Query().Get(projectorParam) == "1"
	body := v.rollPage(session, council, store.CallRoll(members, v.since), projector)
	findings := concerning(ids, s.Common())
	if projector {
		body.Common = v.commonInRoom(findings)
	} else {
		body.Common = v.common(findings)
		record, err := s.Store.DisturbanceOutline(r.Context(), session.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if n := len(record.Open(v.now)); n > 0 {
			body.Open = v.T("record.open_now", "n", n)
		}
		body.Record = recordAddress(session.ID)
	}
	s.show(w, r, page{Name: "rollcall", Stream: "/events", Body: body})
	return nil
}

func (v view) rollPage(session store.CouncilSession, council store.Council, roll store.Roll, projector bool) rollPage {
	body := rollPage{sessionRow: v.session(session, council), Now: v.now.UTC().Format(time.RFC3339Nano),
		Since: roll.Since.In(v.zone).Format(v.exactFormat()), Projector: projector, Other: sessionAddress(session.ID)}
	if !projector {
		body.Other += "?" + projectorParam + "=1"
	}
	for _, state := range store.RollStates() {
		body.Counts = append(body.Counts, rollCount{v.rollState(state), roll.Counts[state]})
	}
	body.Letters = lettersAddress(council.ID)
	for _, m := range roll.Members {
		if !projector && needsLetter(m.ParticipantState) {
			body.Missing++
		}
		one := rollRow{row: v.row(m.ParticipantState)}
		if m.Last != nil {
			one.checkedAt = m.Last.CheckedAt
		}
		one.State = v.rollState(m.State)
		if m.State == store.RollBlue {
			one.Asleep = v.when(m.LastSeenAt)
		}
		if projector {
			one.Phone, one.Dialled, one.Case, one.Reason, one.Address = "", "", "", nil, ""
		}
		body.Rows = append(body.Rows, one)
	}
	body.shorten(v)
	return body
}
