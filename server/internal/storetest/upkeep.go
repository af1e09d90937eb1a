package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func editAndDelete(t *testing.T, s store.Store) {
	anna, annasAgent := person(t, s, "Anna")
	berta, bertasAgent := person(t, s, "Berta")
	first, second := newReport("K7P-3QX", report.Ready, evening), newReport("K7P-3QY", report.Ready, evening)
	_, err := s.SaveReports(t.Context(), annasAgent, []store.NewReport{first})
	must(t, err)
	_, err = s.SaveReports(t.Context(), bertasAgent, []store.NewReport{second})
	must(t, err)
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: store.HashOf("anna's second"), ParticipantID: anna, ExpiresAt: evening}))

	for who, want := range map[string]int{anna: 1, berta: 1, "nobody": 0} {
		if n, err := s.CountReports(t.Context(), who); err != nil || n != want {
			t.Errorf("%s: got %d reports, error %v, want %d", who, n, err, want)
		}
	}
	must(t, s.EditParticipant(t.Context(), anna, "Anna Müller", "0228 1"))
	if p, err := s.Participant(t.Context(), anna); err != nil || p.Name != "Anna Müller" || p.Phone != "0228 1" {
		t.Errorf("got %+v, error %v; want Name %q, Phone %q", p, err, "Anna Müller", "0228 1")
	}
	if page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: "muller"}); err != nil || len(page.States) != 1 {
		t.Errorf("search for the new name: got %+v, error %v; want States 1 entry", page, err)
	}
	wantError(t, "edit an unknown participant", s.EditParticipant(t.Context(), "x", "X", ""), store.ErrNotFound)

	must(t, s.DeleteParticipant(t.Context(), anna, evening))
	wantError(t, "delete again", s.DeleteParticipant(t.Context(), anna, evening), store.ErrNotFound)
	_, err = s.Participant(t.Context(), anna)
	wantError(t, "the person", err, store.ErrNotFound)
	_, err = s.Report(t.Context(), first.Report.ID)
	wantError(t, "their report", err, store.ErrNotFound)
	_, err = s.SaveReports(t.Context(), annasAgent, []store.NewReport{newReport("", report.Ready, evening)})
	wantError(t, "their agent", err, store.ErrNotFound)
	if r, err := s.Report(t.Context(), second.Report.ID); err != nil || r.ParticipantID != berta {
		t.Errorf("another participant's report: got %+v, error %v; want ParticipantID %v", r, err, berta)
	}
}

func revoke(t *testing.T, s store.Store) {
	anna, annasOwn := person(t, s, "Anna")
	token := store.HashOf("stolen")
	code := store.HashOf("another code")
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: code, ParticipantID: anna, ExpiresAt: evening.Add(time.Hour)}))
	stolen := store.NewAgent{ID: uuid.NewString(), TokenHash: token}
	_, err := s.Enrol(t.Context(), code, stolen, evening)
	must(t, err)
	must(t, s.RevokeAgent(t.Context(), stolen.ID, evening))
	_, _, err = s.AgentByToken(t.Context(), token)
	wantError(t, "a revoked token", err, store.ErrNotFound)
	wantError(t, "revoke an unknown agent", s.RevokeAgent(t.Context(), "x", evening), store.ErrNotFound)
	agents, err := s.Agents(t.Context(), anna)
	must(t, err)
	if len(agents) != 2 || !revokedAt(agents, stolen.ID).Equal(evening) || !revokedAt(agents, annasOwn).IsZero() {
		t.Errorf("got agents %+v, want two, of which only %s is revoked", agents, stolen.ID)
	}
	again := store.HashOf("again")
	must(t, s.AddEnrolCode(t.Context(), store.EnrolCode{Hash: again, ParticipantID: anna, ExpiresAt: evening.Add(time.Hour)}))
	fresh := store.HashOf("fresh")
	_, err = s.Enrol(t.Context(), again, store.NewAgent{ID: stolen.ID, TokenHash: fresh}, evening)
	must(t, err)
	if a, _, err := s.AgentByToken(t.Context(), fresh); err != nil || a.ID != stolen.ID || !a.RevokedAt.IsZero() {
		t.Errorf("enrolled again: got %+v, error %v; want %s, not revoked", a, err, stolen.ID)
	}
}

func revokedAt(agents []store.Agent, id string) time.Time {
	for _, a := range agents {
		if a.ID == id {
			return a.RevokedAt
		}
	}
	return time.Time{}
}

// retention: old reports are deleted, and the state of a participant is kept.
func retention(t *testing.T, s store.Store) {
	p, agent := person(t, s, "Anna")
	var ids []string
	for day := range 10 {
		r := newReport("", report.Ready, evening.AddDate(0, 0, day))
		if day == 9 {
			r = inBackground(report.Ready, evening.AddDate(0, 0, day))
		}
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		ids = append(ids, r.Report.ID)
	}
	all := evening.AddDate(1, 0, 0)
	for _, want := range []int{3, 3, 2, 0} { // the last one and the last full one are kept
		n, err := s.DeleteReports(t.Context(), all, 3)
		must(t, err)
		if n != want {
			t.Errorf("got %d deleted, want %d", n, want)
		}
	}
	state, err := s.ParticipantState(t.Context(), p)
	must(t, err)
	if state.Last == nil || state.Last.ID != ids[9] || state.Full == nil || state.Full.ReportID != ids[8] || state.Verdict != report.Ready {
		t.Errorf("got state %+v; want Last set, Last ID %v, Full set, Full ReportID %v, Verdict %v", state, ids[9], ids[8], report.Ready)
	}
	page, err := s.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p})
	must(t, err)
	if len(page.Reports) != 2 {
		t.Errorf("got %d reports, want 2", len(page.Reports))
	}
	if n, err := s.DeleteReports(t.Context(), evening, 100); err != nil || n != 0 {
		t.Errorf("no report is that old: got %d, error %v; want 0", n, err)
	}
}

func expiredThingsVanish(t *testing.T, s store.Store) {
	must(t, s.AddStaff(t.Context(), store.StaffMember{Name: "support", Role: store.RoleSupport, PasswordHash: "x", CreatedAt: evening}))
	old, fresh := store.HashOf("old"), store.HashOf("fresh")
	for h, expires := range map[store.Hash]time.Time{old: evening, fresh: evening.Add(time.Hour)} {
		must(t, s.AddSession(t.Context(), store.Session{TokenHash: h, StaffName: "support", CreatedAt: evening, ExpiresAt: expires, PasswordHash: "x"}))
		must(t, s.AddDevice(t.Context(), store.Device{TokenHash: h, StaffName: "support", CreatedAt: evening, ExpiresAt: expires, PasswordHash: "x"}))
		must(t, s.AddOneTimeLogin(t.Context(), store.OneTimeLogin{TokenHash: h, StaffName: "support", CreatedAt: evening, ExpiresAt: expires}))
	}
	for who, expires := range map[string]time.Time{"berta": evening, "clara": evening.Add(time.Hour)} {
		must(t, s.AddStaff(t.Context(), store.StaffMember{Name: who, Role: store.RoleSupport, CreatedAt: evening}))
		must(t, s.AddStaffInvitation(t.Context(), store.StaffInvitation{TokenHash: store.HashOf(who), StaffName: who, CreatedAt: evening, ExpiresAt: expires}))
	}
	n, err := s.DeleteExpired(t.Context(), evening.Add(time.Minute))
	must(t, err)
	if n != 4 {
		t.Errorf("got %d deleted, want 4", n)
	}
	_, err = s.StaffInvitation(t.Context(), store.HashOf("berta"), evening.Add(-time.Hour))
	wantError(t, "expired invitation", err, store.ErrNotFound)
	_, err = s.StaffInvitation(t.Context(), store.HashOf("clara"), evening)
	must(t, err)
	_, err = s.Session(t.Context(), old)
	wantError(t, "expired session", err, store.ErrNotFound)
	_, err = s.Device(t.Context(), old)
	wantError(t, "expired device", err, store.ErrNotFound)
	if got, err := s.Device(t.Context(), fresh); err != nil || got.StaffName != "support" || !got.ExpiresAt.Equal(evening.Add(time.Hour)) {
		t.Errorf("got device %+v, error %v; want StaffName %q, ExpiresAt %v", got, err, "support", evening.Add(time.Hour))
	}
	if got, err := s.Session(t.Context(), fresh); err != nil || got.StaffName != "support" || !got.ExpiresAt.Equal(evening.Add(time.Hour)) {
		t.Errorf("got session %+v, error %v; want StaffName %q, ExpiresAt %v", got, err, "support", evening.Add(time.Hour))
	}
	if _, err := s.UseOneTimeLogin(t.Context(), fresh, evening); err != nil {
		t.Error(err)
	}
	_, err = s.UseOneTimeLogin(t.Context(), fresh, evening)
	wantError(t, "used link", err, store.ErrNotFound)
	must(t, s.DeleteSession(t.Context(), fresh))
	_, err = s.Session(t.Context(), fresh)
	wantError(t, "ended session", err, store.ErrNotFound)
}

// retentionRuns: a later run that deletes nothing keeps what the last one with a result deleted.
func retentionRuns(t *testing.T, s store.Store) {
	ctx := t.Context()
	if runs, err := s.RetentionRuns(ctx); err != nil || len(runs) != 0 {
		t.Errorf("before any: got %+v, error %v; want none", runs, err)
	}
	must(t, s.AddRetentionRun(ctx, store.ReportData, evening, 0))
	must(t, s.AddRetentionRun(ctx, store.AuditData, evening, 0))
	must(t, s.AddRetentionRun(ctx, store.ReportData, evening.Add(time.Hour), 7))
	must(t, s.AddRetentionRun(ctx, store.ReportData, evening.Add(2*time.Hour), 0))
	want := []store.RetentionRun{{Class: store.AuditData, RanAt: evening},
		{Class: store.ReportData, RanAt: evening.Add(2 * time.Hour), DeletedAt: evening.Add(time.Hour), Deleted: 7}}
	if runs, err := s.RetentionRuns(ctx); err != nil || !slices.Equal(runs, want) {
		t.Errorf("got %+v, error %v; want %+v", runs, err, want)
	}
}
