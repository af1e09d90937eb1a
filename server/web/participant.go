package web

import (
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

const historyLength = 20

// participantPage is the content of the page of a participant.
type participantPage struct {
	row
	Check   *check        // nil if there is none
	Older   bool          // Check is not the latest
	Newest  *historyEntry // set if Older is
	Opened  *historyEntry // the check in the address, if the page shows the latest instead
	Subject string        // id of the report that Check shows
	Common  common        // the common causes that explain the disturbance
	OddName string        // the part of the name that breaks the sound of some conference systems; "" for none
	Form    *numberForm
	Number  *numberAnswer // the error number that the caller reads out; nil for none
	History []historyEntry
	Agents  []computer
	Retest  retestPanel
	Panel   *casePanel // nil if there is no report
	Taken   []openCase // other cases that somebody has taken
	Compare *comparison
	Axis    *axis
	Once    string // see shownCodes
	Now     string // RFC 3339
	Reports []sessionChoice
}

// historyEntry is a check in the history.
type historyEntry struct {
	State   state
	Reason  reason
	Case    string
	Checked *when
	Trigger string
	Address string
	Shown   bool
	Report  string // id
	Work    string // who has taken or closed its case; "" if nobody
}

// computer is an enrolled agent.
type computer struct {
	System  string
	Version string
	Seen    *when
	Revoked *when // nil if its token is valid
	// Connected is set if its channel is open, Copied if two machines use its identity.
	Connected, Copied bool
	Outdated          bool   // a former token was used recently
	RenewalAsked      *when  // nil if no new token was requested
	Renew             string // address to request a new token
	Revoke            string // address of the page to revoke its token; "" without the right
}

func (s *site) participant(w http.ResponseWriter, r *http.Request) error {
	return s.showParticipant(w, r, http.StatusOK, caseInput{AllEntries: r.URL.Query().Get(entriesParam) == allEntries})
}

// showParticipant shows the page. input is the input of a form about the case that could not be stored.
func (s *site) showParticipant(w http.ResponseWriter, r *http.Request, status int, input caseInput) error {
	p, err := s.Store.ParticipantState(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	named, err := s.requestedReport(r, p)
	if err != nil {
		return err
	}
	// The page shows the newest check, even if it was opened with the case code of an earlier one:
	// after a retest, support must not read out the old result. The links in the history show an
	// earlier check alone.
	stored := named
	if named != nil && p.Last != nil && named.ID != p.Last.ID && r.URL.Query().Get(aloneParam) == "" {
		latest, err := s.Store.Report(r.Context(), p.Last.ID)
		if err != nil {
			return err
		}
		stored = &latest
	}
	history, err := s.Store.ParticipantReports(r.Context(), store.ReportQuery{ParticipantID: p.ID, Limit: historyLength})
	if err != nil {
		return err
	}
	agents, err := s.Store.Agents(r.Context(), p.ID)
	if err != nil {
		return err
	}
	v := s.view(r)
	summaries := history.Reports
	if p.Last != nil {
		summaries = append(summaries, *p.Last)
	}
	for _, r := range []*store.StoredReport{named, stored} {
		if r != nil {
			summaries = append(summaries, r.ReportSummary)
		}
	}
	if v.partial, err = s.partial(r.Context(), v.lang, summaries); err != nil {
		return err
	}
	cases, err := s.Store.ParticipantCases(r.Context(), p.ID, store.DefaultPage)
	if err != nil {
		return err
	}
	body := v.participant(p, stored, history.Reports, agents)
	body.addCaseWork(v, cases)
	about := "" // the report of the case
	subject := named
	if c, checked, err := s.caseOf(r.Context(), named, r.PathValue("report") != "", cases, auth.StaffName(r.Context())); err != nil {
		return err
	} else if c != nil {
		body.Panel = v.casePanel(*c, checked, auth.StaffName(r.Context()), input)
		about = c.ReportID
		noteOf(r).reportID = about
		if about != subject.ID {
			taken, err := s.Store.Report(r.Context(), about)
			if err != nil {
				return err
			}
			subject = &taken
		}
		newest := p.Last != nil && p.Last.ID == stored.ID
		if body.Compare, err = s.comparison(r.Context(), v, p.ID, checked, subject, stored, newest); err != nil {
			return err
		}
		if body.Axis, err = s.axis(r.Context(), v, *subject, *stored); err != nil {
			return err
		}
	}
	address := r.URL.Path
	if r.Method == http.MethodPost { // the address is that of a form
		address = reportAddress(p.ID, r.PathValue("report"))
	}
	form := newNumberForm(r, address)
	body.Form, body.Number = &form, v.number(form.ReadOut)
	v.weigh(body.Number, stored)
	body.Taken = v.stillOpen(cases, about)
	for i, a := range agents {
		state := s.Agents.State(a.ID)
		body.Agents[i].Connected, body.Agents[i].Copied, body.Agents[i].Outdated = state.Connected, state.Copied, state.Outdated
	}
	if body.Retest, err = s.retestPanel(r, v, p, agents, about); err != nil {
		return err
	}
	findings := concerning(map[string]bool{p.ID: true}, s.Common())
	body.Common = v.common(findings)
	body.explain(v, findings)
	body.Once, body.Now = s.newFormKey(), v.now.UTC().Format(time.RFC3339Nano)
	if body.Reports, err = s.sessionsNow(r, v, p.ID); err != nil {
		return err
	}
	if named != nil && named.ID != stored.ID {
		body.Opened = new(v.historyEntry(p.ID, named.ReportSummary))
	}
	shown := page{Status: status, Name: "participant", Stream: "/events?participant=" + p.ID, Path: address, Body: body}
	if status != http.StatusOK {
		shown.Stream = "" // the address is that of a form, which the page cannot request again
	}
	s.show(w, r, shown)
	return nil
}

// requestedReport returns the report in the address, otherwise the latest; nil if there is none.
func (s *site) requestedReport(r *http.Request, p store.ParticipantState) (*store.StoredReport, error) {
	id := r.PathValue("report")
	if id == "" {
		if p.Last == nil {
			return nil, nil
		}
		id = p.Last.ID
	}
	stored, err := s.Store.Report(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if stored.ParticipantID != p.ID {
		return nil, store.ErrNotFound
	}
	return &stored, nil
}

func (v view) participant(p store.ParticipantState, stored *store.StoredReport, history []store.ReportSummary, agents []store.Agent) participantPage {
	body := participantPage{row: v.row(p), OddName: v.oddMarks(p.Name)}
	shown := ""
	if stored != nil {
		shown = stored.ID
		body.Check = new(v.check(*stored))
		body.Older = p.Last != nil && p.Last.ID != stored.ID
		body.Subject = stored.ID
	}
	if body.Older {
		body.Newest = new(v.historyEntry(p.ID, *p.Last))
	}
	for _, h := range history {
		one := v.historyEntry(p.ID, h)
		one.Shown = h.ID == shown
		body.History = append(body.History, one)
	}
	for _, a := range agents {
		body.Agents = append(body.Agents, v.computer(a))
	}
	return body
}

func (v view) computer(a store.Agent) computer {
	c := computer{System: v.system(a.OS, a.Arch), Version: clean(a.Version, 40), Seen: v.when(a.LastSeenAt), Revoked: v.when(a.RevokedAt),
		RenewalAsked: v.when(a.RenewalAskedAt), Renew: participantAddress(a.ParticipantID) + "/computers/" + a.ID + "/token"}
	if auth.May(v.role, auth.Manage) {
		c.Revoke = revokeAddress(a.ParticipantID, a.ID)
	}
	return c
}

// aloneParam is the query parameter that makes the page show an earlier check instead of
// the newest.
const aloneParam = "alone"

func (v view) historyEntry(participantID string, h store.ReportSummary) historyEntry {
	return historyEntry{State: v.result(h), Reason: v.reason(h), Case: clean(h.Case, 12), Checked: v.when(h.CheckedAt),
		Trigger: v.trigger(h.Trigger), Report: h.ID, Address: reportAddress(participantID, h.ID) + "?" + aloneParam + "=1"}
}

func (v view) trigger(t report.Trigger) string {
	if key := "trigger." + string(t); v.Has(key) {
		return v.T(key)
	}
	return v.T("trigger.foreign")
}

// system returns the common name of the system of an agent.
func (v view) system(goos, arch string) string {
	if inBrowser(arch) {
		return v.T("computers.in_browser", "system", system(goos))
	}
	return system(goos)
}

func system(goos string) string {
	switch goos {
	case "windows":
		return "Windows"
	case "darwin":
		return "macOS"
	case "linux":
		return "Linux"
	case "android":
		return "Android"
	case "ios":
		return "iOS"
	case "chromeos":
		return "ChromeOS"
	}
	return clean(goos, 40)
}

// document serves the stored document of a report.
func (s *site) document(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.Store.Report(r.Context(), r.PathValue("report"))
	if err != nil {
		return err
	}
	if stored.ParticipantID != r.PathValue("id") {
		return store.ErrNotFound
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(stored.Document)
	return nil
}

// block blocks or unblocks a participant.
func (s *site) block(blocked bool) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id := r.PathValue("id")
		if err := s.Store.SetBlocked(r.Context(), id, blocked); err != nil {
			return err
		}
		if err := s.shutChannels(r.Context(), id, blocked); err != nil {
			return err
		}
		s.Log.InfoContext(r.Context(), "participant blocked or let in", "participant", id, "blocked", blocked)
		s.changed(id)
		http.Redirect(w, r, participantAddress(id), http.StatusSeeOther)
		return nil
	}
}
