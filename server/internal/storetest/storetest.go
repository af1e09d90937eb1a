// Package storetest holds every store to the same promises.
package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

var evening = time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)

// Run tests a store; open gives an empty one that is closed by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"participants":          participants,
		"enrol":                 enrol,
		"enrol once":            enrolOnce,
		"same agent again":      sameAgentAgain,
		"save reports":          saveReports,
		"save all or nothing":   saveAllOrNothing,
		"saved exactly once":    savedExactlyOnce,
		"latest state":          latestState,
		"server's clock ahead":  clockAhead,
		"full and background":   fullAndBackground,
		"age":                   age,
		"search by all means":   searchByAllMeans,
		"edit and delete":       editAndDelete,
		"revoke":                revoke,
		"retention":             retention,
		"history by page":       historyByPage,
		"participants by page":  participantsByPage,
		"search":                search,
		"case code of several":  caseCodeOfSeveral,
		"hostile cursors":       hostileCursors,
		"hostile texts":         hostileTexts,
		"expired things vanish": expiredThingsVanish,
		"changes":               changes,
		"changes while many":    changesWhileMany,
		"backup":                backup,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// inBackground is a check that left the microphone alone.
func inBackground(verdict report.Verdict, checked time.Time) store.NewReport {
	n := newReport("", verdict, checked)
	n.Report.Trigger, n.Report.Probes[0].Status = report.TriggerSchedule, report.StatusSkipped
	return n
}

// person adds a participant with one enrolled agent and gives both ids.
func person(t *testing.T, s store.Store, name string) (participantID, agentID string) {
	t.Helper()
	p := store.Participant{ID: uuid.NewString(), Name: name, CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	return p.ID, agentOf(t, s, p.ID)
}

func agentOf(t *testing.T, s store.Store, participantID string) string {
	t.Helper()
	code, agent := store.HashOf(uuid.NewString()), uuid.NewString()
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: participantID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	_, err := s.Enrol(t.Context(), code, store.NewAgent{ID: agent, TokenHash: store.HashOf(agent), Version: "1", OS: "linux", Arch: "amd64"}, evening)
	must(t, err)
	return agent
}

func newReport(caseCode string, verdict report.Verdict, checked time.Time) store.NewReport {
	r := &report.Report{Schema: report.SchemaV1, ID: uuid.Must(uuid.NewV7()).String(), Case: caseCode,
		Trigger: report.TriggerCheck, StartedAt: checked, Verdict: verdict,
		Probes: []report.Result{{Name: report.ProbeAudioInput, Status: report.StatusOK}}}
	if verdict == report.NotReady {
		r.Causes = []report.Cause{{Code: "audio.os_muted", Severity: report.SeverityFail, Area: report.AreaParticipant, Primary: true}}
	}
	document, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return store.NewReport{Report: r, Document: document, ReceivedAt: checked.Add(time.Minute), CheckedAt: checked}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func participants(t *testing.T, s store.Store) {
	p := store.Participant{ID: uuid.NewString(), Name: "<script>alert(1)</script> علي", Phone: "0221 1", CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	wantError(t, "same id again", s.AddParticipant(t.Context(), p), store.ErrExists)
	got, err := s.Participant(t.Context(), p.ID)
	must(t, err)
	if got != p {
		t.Errorf("%+v, want %+v", got, p)
	}
	must(t, s.SetBlocked(t.Context(), p.ID, true))
	if got, _ = s.Participant(t.Context(), p.ID); !got.Blocked {
		t.Error("not blocked")
	}
	wantError(t, "block nobody", s.SetBlocked(t.Context(), "x", true), store.ErrNotFound)
	_, err = s.Participant(t.Context(), "x")
	wantError(t, "nobody", err, store.ErrNotFound)
	_, err = s.ParticipantState(t.Context(), "x")
	wantError(t, "state of nobody", err, store.ErrNotFound)
}

func enrol(t *testing.T, s store.Store) {
	p := store.Participant{ID: uuid.NewString(), Name: "A", CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	add := func(code string) store.Hash {
		h := store.HashOf(code)
		must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: h, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		return h
	}
	code := add("one")
	wantError(t, "same code", s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: p.ID}), store.ErrExists)
	a := store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("token"), Version: "1.2", OS: "windows", Arch: "amd64"}
	enrolAt := func(code store.Hash, at time.Time) error {
		_, err := s.Enrol(t.Context(), code, a, at)
		return err
	}
	wantError(t, "unknown", enrolAt(store.HashOf("x"), evening), store.ErrNotFound)
	wantError(t, "expired", enrolAt(code, evening.Add(time.Hour)), store.ErrNotFound)
	must(t, s.SetBlocked(t.Context(), p.ID, true))
	wantError(t, "blocked", enrolAt(code, evening), store.ErrNotFound)
	must(t, s.SetBlocked(t.Context(), p.ID, false))
	got, err := s.Enrol(t.Context(), code, a, evening.Add(time.Minute))
	must(t, err)
	if got.ID != p.ID {
		t.Errorf("enrolled for %s, want %s", got.ID, p.ID)
	}
	wantError(t, "used", enrolAt(code, evening.Add(2*time.Minute)), store.ErrNotFound)

	agent, owner, err := s.AgentByToken(t.Context(), a.TokenHash)
	must(t, err)
	if agent.ID != a.ID || agent.OS != "windows" || owner.ID != p.ID || !agent.LastSeenAt.Equal(evening.Add(time.Minute)) {
		t.Errorf("agent %+v of %+v", agent, owner)
	}
	_, _, err = s.AgentByToken(t.Context(), store.HashOf("other"))
	wantError(t, "unknown token", err, store.ErrNotFound)
	must(t, s.TouchAgent(t.Context(), a.ID, evening.Add(time.Hour)))
	must(t, s.TouchAgent(t.Context(), a.ID, evening.Add(time.Hour-30*time.Second))) // requests overlap
	state, err := s.ParticipantState(t.Context(), p.ID)
	must(t, err)
	if !state.Enrolled || !state.LastSeenAt.Equal(evening.Add(time.Hour)) || state.Last != nil {
		t.Errorf("state %+v", state)
	}
	wantError(t, "touch nobody", s.TouchAgent(t.Context(), "x", evening), store.ErrNotFound)
}

func enrolOnce(t *testing.T, s store.Store) {
	p := store.Participant{ID: uuid.NewString(), Name: "A", CreatedAt: evening}
	must(t, s.AddParticipant(t.Context(), p))
	code := store.HashOf("code")
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			a := store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf(fmt.Sprint(i))}
			_, errs[i] = s.Enrol(t.Context(), code, a, evening)
		})
	}
	wg.Wait()
	good := 0
	for _, err := range errs {
		if err == nil {
			good++
		} else {
			wantError(t, "loser", err, store.ErrNotFound)
		}
	}
	agents, err := s.Agents(t.Context(), p.ID)
	must(t, err)
	if good != 1 || len(agents) != 1 {
		t.Errorf("one code enrolled %d agents, %d are kept", good, len(agents))
	}
}

func sameAgentAgain(t *testing.T, s store.Store) {
	mine, agent := person(t, s, "A")
	other, _ := person(t, s, "B")
	again := func(participantID, code string) error {
		h := store.HashOf(code)
		must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: h, ParticipantID: participantID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		_, err := s.Enrol(t.Context(), h, store.NewAgent{ID: agent, TokenHash: h}, evening)
		return err
	}
	wantError(t, "an agent of somebody else", again(other, "theirs"), store.ErrExists)
	_, err := s.Enrol(t.Context(), store.HashOf("theirs"), store.NewAgent{ID: uuid.NewString(), TokenHash: store.HashOf("t")}, evening)
	must(t, err) // the code was not used up
	must(t, again(mine, "mine"))
	_, _, err = s.AgentByToken(t.Context(), store.HashOf(agent))
	wantError(t, "old token", err, store.ErrNotFound)
	if _, p, err := s.AgentByToken(t.Context(), store.HashOf("mine")); err != nil || p.ID != mine {
		t.Errorf("new token: %v, %v", p, err)
	}
}

func saveReports(t *testing.T, s store.Store) {
	_, agent := person(t, s, "A")
	_, thief := person(t, s, "B")
	r := newReport("K7P-3QX", report.NotReady, evening)
	save := func(agent string) store.SaveStatus {
		results, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		if len(results) != 1 || results[0].ID != r.Report.ID {
			t.Fatalf("results %v", results)
		}
		return results[0].Status
	}
	for i, want := range []store.SaveStatus{store.Stored, store.Duplicate, store.Duplicate} {
		if got := save(agent); got != want {
			t.Errorf("time %d: %s, want %s", i, got, want)
		}
	}
	if got := save(thief); got != store.Foreign {
		t.Errorf("from another agent: %s", got)
	}
	got, err := s.Report(t.Context(), r.Report.ID)
	must(t, err)
	if !bytes.Equal(got.Document, r.Document) || got.Case != "K7P-3QX" || got.Primary.Code != "audio.os_muted" ||
		got.Headline != "not_ready_unheard" || got.AgentID != agent || !got.ReceivedAt.Equal(r.ReceivedAt) || !got.StartedAt.Equal(evening) {
		t.Errorf("kept %+v", got)
	}
	_, err = s.Report(t.Context(), "x")
	wantError(t, "unknown report", err, store.ErrNotFound)
	_, err = s.SaveReports(t.Context(), "x", []store.NewReport{r})
	wantError(t, "unknown agent", err, store.ErrNotFound)
}

func saveAllOrNothing(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	one, two := newReport("K7P-3QX", report.Ready, evening), newReport("K7P-3QY", report.Ready, evening)
	results, err := s.SaveReports(t.Context(), agent, []store.NewReport{one, two, one})
	must(t, err)
	if results[0].Status != store.Stored || results[1].Status != store.Stored || results[2].Status != store.Duplicate {
		t.Errorf("results %v", results)
	}
	page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p})
	must(t, err)
	if len(page.Reports) != 2 {
		t.Errorf("%d reports kept, want 2", len(page.Reports))
	}
}

func savedExactlyOnce(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	reports := make([]store.NewReport, 20)
	for i := range reports {
		reports[i] = newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i)*time.Second))
	}
	var mu sync.Mutex
	stored := map[string]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, r := range reports {
				results, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if results[0].Status == store.Stored {
					stored[r.Report.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, r := range reports {
		if stored[r.Report.ID] != 1 {
			t.Errorf("report %s stored %d times", r.Report.ID, stored[r.Report.ID])
		}
	}
	page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p})
	must(t, err)
	if len(page.Reports) != len(reports) {
		t.Errorf("%d reports kept, want %d", len(page.Reports), len(reports))
	}
}

func latestState(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	newer := newReport("K7P-3QX", report.NotReady, evening.Add(time.Hour))
	older := newReport("K7P-3QY", report.Ready, evening)
	older.ReceivedAt = evening.Add(2 * time.Hour) // out of the spool, after the newer one
	for _, r := range []store.NewReport{newer, older} {
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
	}
	state, err := s.ParticipantState(t.Context(), p)
	must(t, err)
	if state.Last == nil || state.Last.ID != newer.Report.ID || state.Last.Verdict != report.NotReady || state.Last.Primary.Code != "audio.os_muted" {
		t.Errorf("last check %+v, want %s", state.Last, newer.Report.ID)
	}
	if !state.LastSeenAt.Equal(older.ReceivedAt) {
		t.Errorf("last seen %v, want the time of the last receipt", state.LastSeenAt)
	}
	person(t, s, "B")
	blocked, _ := person(t, s, "C")
	must(t, s.SetBlocked(t.Context(), blocked, true))
	counts, err := s.CountStates(t.Context(), time.Time{})
	must(t, err)
	if len(counts.Fresh) != 1 || counts.Fresh[report.NotReady] != 1 || counts.Never != 1 || counts.Blocked != 1 || counts.Old != 0 {
		t.Errorf("counts %+v", counts)
	}
}

func historyByPage(t *testing.T, s store.Store) {
	p, agent := person(t, s, "A")
	var want []string
	for i := range 7 {
		r := newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i/2)*time.Second)) // several in one moment
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		want = append(want, r.Report.ID)
	}
	var got []string
	for after, pages := "", 0; ; pages++ {
		page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p, After: after, Limit: 3})
		must(t, err)
		for i, r := range page.Reports {
			if i > 0 && r.CheckedAt.After(page.Reports[i-1].CheckedAt) {
				t.Error("not newest first")
			}
			got = append(got, r.ID)
		}
		if after = page.Next; after == "" {
			break
		}
		if pages > 3 {
			t.Fatal("pages without end")
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("pages gave %d reports, want each of %d once", len(got), len(want))
	}
}

func participantsByPage(t *testing.T, s store.Store) {
	verdicts := map[string]report.Verdict{"Ähre": report.Ready, "Arndt": report.NotReady, "Zabel": report.Limited,
		"zander": report.NotReady, "Öztürk": report.Unknown}
	for i, name := range []string{"zander", "Ähre", "Zabel", "Arndt", "Öztürk", "never"} {
		_, agent := person(t, s, name)
		if v, ok := verdicts[name]; ok {
			_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport("K7P-3QX", v, evening.Add(time.Duration(i)*time.Minute))})
			must(t, err)
		}
	}
	for order, want := range map[store.Order][]string{
		"":              {"Ähre", "Arndt", "never", "Öztürk", "Zabel", "zander"},
		store.ByName:    {"Ähre", "Arndt", "never", "Öztürk", "Zabel", "zander"},
		store.ByRecent:  {"Öztürk", "Arndt", "Zabel", "Ähre", "zander", "never"},
		store.ByUrgency: {"Arndt", "zander", "Zabel", "Öztürk", "Ähre", "never"},
	} {
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: order})
		must(t, err)
		inOrder(t, page.States, order, time.Time{})
		for limit := 1; limit <= 7; limit++ {
			if got := names(t, s, store.StateQuery{Order: order, Limit: limit}); !slices.Equal(got, want) {
				t.Errorf("by %q in pages of %d: %v, want %v", order, limit, got, want)
			}
		}
	}
	if got := names(t, s, store.StateQuery{Verdict: report.NotReady}); !slices.Equal(got, []string{"Arndt", "zander"}) {
		t.Errorf("not ready: %v", got)
	}
	if _, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: "x"}); err == nil {
		t.Error("an unknown order was taken")
	}
}

// inOrder holds the order of the queries against that of the rules in Go.
func inOrder(t *testing.T, list []store.ParticipantState, order store.Order, since time.Time) {
	t.Helper()
	for i, p := range list[1:] {
		if order.Compare(list[i], p, since) >= 0 || order.Compare(p, list[i], since) <= 0 {
			t.Errorf("by %q: %q stands before %q", order, list[i].Name, p.Name)
		}
	}
}

// names follows a query to its last page.
func names(t *testing.T, s store.Store, q store.StateQuery) []string {
	t.Helper()
	var got []string
	for range 100 {
		page, err := s.ParticipantStates(t.Context(), q)
		must(t, err)
		for _, p := range page.States {
			got = append(got, p.Name)
		}
		if q.After = page.Next; q.After == "" {
			return got
		}
	}
	t.Fatal("pages without end")
	return nil
}

func search(t *testing.T, s store.Store) {
	for _, name := range []string{"Jörg Müller", "Großmann", "100%_\\", "<script>"} {
		person(t, s, name)
	}
	_, agent := person(t, s, "Meyers")
	_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport("K7P-3QX", report.Ready, evening)})
	must(t, err)
	for term, want := range map[string][]string{
		"MULLER": {"Jörg Müller"}, "müller": {"Jörg Müller"}, "grossmann": {"Großmann"}, "GROß": {"Großmann"},
		"%": {`100%_\`}, "_": {`100%_\`}, `\`: {`100%_\`}, "script>": {"<script>"}, "' OR 1=1 --": nil,
		"k7p3qx": {"Meyers"}, " K7P-3QX ": {"Meyers"}, "meyers": {"Meyers"}, "K7P-3QY": nil,
	} {
		if got := names(t, s, store.StateQuery{Search: term}); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", term, got, want)
		}
	}
}

func caseCodeOfSeveral(t *testing.T, s store.Store) {
	var want []string
	for i, name := range []string{"A", "B", "C"} {
		_, agent := person(t, s, name)
		r := newReport("K7P-3QX", report.Ready, evening.Add(time.Duration(i)*time.Hour))
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		want = append([]string{r.Report.ID}, want...)
	}
	found, err := s.CaseReports(t.Context(), "K7P-3QX", 0)
	must(t, err)
	var got []string
	for _, r := range found {
		got = append(got, r.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want newest first: %v", got, want)
	}
	if none, err := s.CaseReports(t.Context(), "000-000", 0); err != nil || len(none) != 0 {
		t.Errorf("unknown code: %v, %v", none, err)
	}
}

func hostileCursors(t *testing.T, s store.Store) {
	for range 3 {
		person(t, s, "A")
	}
	page, err := s.ParticipantStates(t.Context(), store.StateQuery{Order: store.ByRecent, Limit: 1})
	must(t, err)
	for _, bad := range []string{"x", "%", "e30", string(bytes.Repeat([]byte("A"), 1<<20)), page.Next} {
		_, err := s.ParticipantStates(t.Context(), store.StateQuery{After: bad}) // by name
		wantError(t, "participants", err, store.ErrBadCursor)
		_, err = s.ParticipantReports(t.Context(), store.ReportQuery{After: bad})
		wantError(t, "reports", err, store.ErrBadCursor)
	}
}

// hostileTexts come in as a part of an address or a search. They are found nowhere,
// and are no fault of the database.
func hostileTexts(t *testing.T, s store.Store) {
	person(t, s, "Anna")
	for _, text := range []string{"\x00", "Anna\x00", "\xff\xfe", "\xed\xa0\x80", "'; DROP TABLE reports; --", "$1", "?"} {
		_, err := s.Participant(t.Context(), text)
		wantError(t, "participant", err, store.ErrNotFound)
		_, err = s.Report(t.Context(), text)
		wantError(t, "report", err, store.ErrNotFound)
		_, err = s.StaffMember(t.Context(), text)
		wantError(t, "user", err, store.ErrNotFound)
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: text})
		must(t, err)
		if len(page.States) != 0 {
			t.Errorf("%q finds %d", text, len(page.States))
		}
		_, err = s.SimilarStates(t.Context(), text, 5)
		must(t, err)
		_, err = s.CaseReports(t.Context(), text, 5)
		must(t, err)
	}
}

func backup(t *testing.T, s store.Store) {
	person(t, s, "A")
	path := filepath.Join(t.TempDir(), "it's a backup.db")
	err := s.Backup(t.Context(), path)
	if errors.Is(err, store.ErrNoSnapshot) {
		must(t, s.Ping(t.Context()))
		return // the database has programs of its own for that
	}
	must(t, err)
	wantError(t, "over another file", s.Backup(t.Context(), path), store.ErrExists)
	must(t, s.Ping(t.Context()))
}
