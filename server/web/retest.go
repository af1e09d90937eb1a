package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// retestPanel is the part of a participant's page from which support requests a new check.
type retestPanel struct {
	Address   string // of this part alone
	Report    string // id of the report whose case the page shows; "" for none
	Computers []retestComputer
}

// retestComputer is a computer with its connection and its retest.
type retestComputer struct {
	Name      string
	Connected bool
	// Background is set if only the background service is connected, which cannot obtain a person's
	// consent.
	Background bool
	Request    string // address of the form
	Cancel     string // address of the form; "" if no retest is in progress
	ID         string // of the retest
	Retest     *retest
}

// retest is a retest in words.
type retest struct {
	State    state
	Sentence string
	What     string
	By       string
	Probes   []probeProgress
	Level    *meter
	Before   *historyEntry // the check before it
	After    *historyEntry // the new check, as soon as its report has arrived
	Waits    bool          // the report has not arrived
	Version  string
}

type probeProgress struct {
	Name  string
	State state
}

// meter is the level of the microphone.
type meter struct {
	DBFS  int // between MinDBFS and 0
	Words string
}

// MinDBFS is the lower end of the meter.
func (meter) MinDBFS() int { return -60 }

func (s *site) retestPanel(r *http.Request, v view, p store.ParticipantState, agents []store.Agent, about string) (retestPanel, error) {
	panel := retestPanel{Address: participantAddress(p.ID) + "/retest", Report: about}
	if about != "" {
		panel.Address += "?" + url.Values{aboutParam: {about}}.Encode()
	}
	for _, a := range agents {
		if !a.RevokedAt.IsZero() || inBrowser(a.Arch) { // a browser has no channel
			continue
		}
		st := s.Agents.State(a.ID)
		address := participantAddress(p.ID) + "/computers/" + a.ID + "/retest"
		c := retestComputer{Name: system(a.OS), Connected: st.Connected && !p.Blocked, Background: st.Connected && !st.Screen, Request: address}
		if st.Retest != nil {
			var err error
			if c.Retest, err = s.retest(r.Context(), v, p.ID, *st.Retest); err != nil {
				return panel, err
			}
			c.ID = st.Retest.ID
			if st.Retest.Open() {
				c.Cancel = address + "/cancel"
			}
		}
		panel.Computers = append(panel.Computers, c)
	}
	return panel, nil
}

func (s *site) retest(ctx context.Context, v view, participantID string, r live.Retest) (*retest, error) {
	told := &retest{What: v.T("retest_what." + string(r.What)), By: clean(r.By, maxNameRunes), Version: r.ID + string(r.State)}
	kind := map[live.RetestState]string{live.RetestAsked: "info", live.RetestRunning: "info", live.RetestDone: "ok"}[r.State]
	if kind == "" {
		kind = "unknown"
	}
	told.State = state{Kind: kind, Word: v.T("retest_state." + string(r.State))}
	told.Sentence = v.T("retest_said." + string(r.State))
	if r.State == live.RetestRunning && r.What == wire.RetestFull {
		told.Sentence = v.T("retest.read")
	}
	if key := "retest_why." + r.Why; r.State == live.RetestRefused && v.Has(key) {
		told.Sentence = v.T(key)
	}
	for _, p := range r.Probes {
		if !r.Open() {
			break // the report shows more
		}
		told.Probes = append(told.Probes, probeProgress{v.probe(p.Probe), v.progress(p.Status)})
	}
	if r.Level != nil {
		told.Level = v.meter(*r.Level)
	}
	var err error
	if told.Before, err = s.checkOf(ctx, v, participantID, r.Before); err != nil {
		return nil, err
	}
	if told.After, err = s.checkOf(ctx, v, participantID, r.After); err != nil {
		return nil, err
	}
	told.Waits = r.State == live.RetestDone && told.After == nil
	return told, nil
}

// checkOf returns a check of the participant; nil if it is unknown, or belongs to another
// participant: its id comes from the agent.
func (s *site) checkOf(ctx context.Context, v view, participantID, id string) (*historyEntry, error) {
	if id == "" {
		return nil, nil
	}
	stored, err := s.Store.Report(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && stored.ParticipantID != participantID:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if v.partial, err = s.partial(ctx, v.lang, []store.ReportSummary{stored.ReportSummary}); err != nil {
		return nil, err
	}
	return new(v.historyEntry(participantID, stored.ReportSummary)), nil
}

// progress returns the progress of a probe. Whether a result is good is decided only by the diagnosis
// of all probes, so a completed probe is shown as measured.
func (v view) progress(status string) state {
	switch report.Status(status) {
	case report.StatusOK, report.StatusWarn, report.StatusFail:
		return state{Kind: "ok", Word: v.T("retest.measured")}
	case report.StatusUnknown, report.StatusSkipped:
		return v.status(report.Status(status))
	}
	return state{Kind: "info", Word: v.T("retest.running")}
}

// quietDBFS is the level below which a voice is too quiet to be heard; loudDBFS is the peak level
// at which clipping is near.
const (
	quietDBFS = -45
	loudDBFS  = -3
)

func (v view) meter(l live.Level) *meter {
	m := &meter{DBFS: int(math.Round(min(max(l.RMSDBFS, float64(meter{}.MinDBFS())), 0)))}
	switch {
	case l.PeakDBFS >= loudDBFS:
		m.Words = v.T("retest.level_loud")
	case l.Speech:
		m.Words = v.T("retest.level_speech")
	case l.RMSDBFS < quietDBFS:
		m.Words = v.T("retest.level_quiet")
	default:
		m.Words = v.T("retest.level_sound")
	}
	return m
}

// retestPart responds to an open page with this part of it.
func (s *site) retestPart(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Store.ParticipantState(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	agents, err := s.Store.Agents(r.Context(), p.ID)
	if err != nil {
		return err
	}
	v := s.view(r)
	panel, err := s.retestPanel(r, v, p, agents, r.URL.Query().Get(aboutParam))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.pages[v.lang]["participant"].ExecuteTemplate(&b, "retest", panel); err != nil {
		return fmt.Errorf("template of a retest: %w", err)
	}
	return writeFragments(w, map[string]string{"html": b.String()})
}

// requestRetest requests a check from the computer in the address.
func (s *site) requestRetest(w http.ResponseWriter, r *http.Request) error {
	what := wire.RetestWhat(r.PostForm.Get("what"))
	if what != wire.RetestFull && what != wire.RetestNetwork {
		return fmt.Errorf("%w: what is %.20q", errMalformed, what)
	}
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	p, err := s.Store.ParticipantState(r.Context(), a.ParticipantID)
	if err != nil {
		return err
	}
	before := ""
	if p.Last != nil {
		before = p.Last.ID
	}
	// A page that has been open for long may offer a request that is no longer possible. After the
	// redirect, it shows why.
	_, err = s.Agents.Request(a.ID, what, shownStaff(auth.StaffName(r.Context())), before)
	switch {
	case errors.Is(err, live.ErrNotConnected), errors.Is(err, live.ErrRetestRunning):
	case err != nil:
		return err
	default:
		s.Log.InfoContext(r.Context(), "retest requested", "participant", p.ID, "agent", a.ID, "what", what)
	}
	return s.backToRetest(w, r, p.ID)
}

// aboutParam is the parameter with the report whose case a page shows.
const aboutParam = "report"

// backToRetest returns to the page with the form. That is the page of a case if the form was on one, and
// the case is of this participant.
func (s *site) backToRetest(w http.ResponseWriter, r *http.Request, participantID string) error {
	address := participantAddress(participantID)
	if about := r.PostForm.Get(aboutParam); about != "" {
		c, err := s.Store.Case(r.Context(), about)
		switch {
		case err == nil && c.ParticipantID == participantID:
			address = reportAddress(participantID, c.ReportID)
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		}
	}
	http.Redirect(w, r, address+"#retest", http.StatusSeeOther)
	return nil
}

// shownStaff truncates a name to the length that the message to the agent permits.
func shownStaff(name string) string {
	const most = 60 // bytes, see wire.ParseFromCollector
	name = clean(name, most)
	for len(name) > most {
		r := []rune(name)
		name = string(r[:len(r)-1])
	}
	if name == "" {
		return "?"
	}
	return name
}

func (s *site) cancelRetest(w http.ResponseWriter, r *http.Request) error {
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	s.Agents.Cancel(a.ID, r.PostForm.Get("id"))
	return s.backToRetest(w, r, a.ParticipantID)
}

// shutChannels ends the connections of a blocked participant.
func (s *site) shutChannels(ctx context.Context, participantID string, blocked bool) error {
	if !blocked {
		return nil
	}
	agents, err := s.Store.Agents(ctx, participantID)
	if err != nil {
		return err
	}
	for _, a := range agents {
		s.Agents.Disconnect(a.ID)
	}
	return nil
}
