package sqlstore

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// TestOrganisationsSeeNothingOfEachOther requests, for one organisation, everything that
// belongs to another.
func TestOrganisationsSeeNothingOfEachOther(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *Store{
		"SQLite":     func(t *testing.T) *Store { return open(t, filepath.Join(t.TempDir(), "c.db")) },
		"PostgreSQL": func(t *testing.T) *Store { return openPostgres(t, pgtest.Database(t)) },
	} {
		t.Run(name, func(t *testing.T) { separate(t, open(t)) })
	}
}

func separate(t *testing.T, s *Store) {
	ctx := t.Context()
	if _, err := s.write.exec(ctx, `INSERT INTO organisations (id, name, created_at) VALUES ('other', 'Other', 0)`); err != nil {
		t.Fatal(err)
	}
	other := *s
	other.org = "other"
	participant, agent := enrolled(t, s)
	r := newReport(0)
	if _, err := s.SaveReports(ctx, agent, []store.NewReport{r}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddStaff(ctx, store.StaffMember{Name: "support", Role: store.RoleSupport}); err != nil {
		t.Fatal(err)
	}
	token := store.HashOf("token")
	for _, err := range []error{
		s.AddSession(ctx, store.Session{TokenHash: token, StaffName: "support", ExpiresAt: evening}),
		s.AddDevice(ctx, store.Device{TokenHash: token, StaffName: "support", ExpiresAt: evening}),
		s.AddOneTimeLogin(ctx, store.OneTimeLogin{TokenHash: token, StaffName: "support", ExpiresAt: evening}),
		s.SetNextSecret(ctx, "support", "sealed"),
		s.AddAuditEntry(ctx, store.AuditEntry{ID: "audit", At: evening, StaffName: "support", Kind: store.AuditSignedIn}),
		s.AddLoginChallenge(ctx, store.LoginChallenge{TokenHash: token, StaffName: "support", ExpiresAt: evening}),
		s.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: token, StaffName: "support", ExpiresAt: evening}),
		s.AddEnrolCode(ctx, store.EnrolCode{Hash: token, ParticipantID: participant, ExpiresAt: evening}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	council := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: evening}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: evening}
	own := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: evening}
	if err := errors.Join(s.AddCouncil(ctx, council), s.AddCouncilSession(ctx, session), s.AddCouncilMember(ctx, council.ID, participant), other.AddCouncil(ctx, own)); err != nil {
		t.Fatal(err)
	}
	_, _, members := other.CouncilMembers(ctx, council.ID)
	if err := s.AddToken(ctx, agent, store.HashOf(agent), store.HashOf("waiting")); err != nil {
		t.Fatal(err)
	}
	program := store.APIToken{ID: uuid.NewString(), Name: "statistics", Hash: token, Scopes: store.Scopes(), CreatedAt: evening, ExpiresAt: evening.AddDate(0, 1, 0)}
	if err := s.AddAPIToken(ctx, program); err != nil {
		t.Fatal(err)
	}
	noted := store.CaseEntry{At: evening, By: "support", Kind: store.CaseWasClosed, Cause: store.CauseNone}
	if _, err := s.AddCaseEntry(ctx, r.Report.ID, noted); err != nil {
		t.Fatal(err)
	}
	errorOf := func(_ any, err error) error { return err }
	_, _, byToken := other.AgentByToken(ctx, store.HashOf(agent))
	for what, err := range map[string]error{
		"participant":     errorOf(other.Participant(ctx, participant)),
		"state":           errorOf(other.ParticipantState(ctx, participant)),
		"edit":            other.EditParticipant(ctx, participant, "x", ""),
		"block":           other.SetBlocked(ctx, participant, true),
		"delete":          other.DeleteParticipant(ctx, participant),
		"code":            other.AddEnrolCode(ctx, store.EnrolCode{Hash: store.HashOf("x"), ParticipantID: participant}),
		"enrol":           errorOf(other.Enrol(ctx, token, store.NewAgent{ID: uuid.NewString()}, evening.Add(-time.Hour))),
		"agent":           byToken,
		"revoke":          other.RevokeAgent(ctx, agent, evening),
		"next token":      other.AddToken(ctx, agent, store.HashOf(agent), store.HashOf("next")),
		"use of a token":  other.UseToken(ctx, agent, store.HashOf("next"), evening),
		"other token":     errorOf(other.AgentByOtherToken(ctx, store.HashOf("waiting"))),
		"renewal":         other.AskForRenewal(ctx, agent, evening),
		"API token":       errorOf(other.APIToken(ctx, token)),
		"API token's use": other.UseAPIToken(ctx, program.ID, evening),
		"its removal":     other.RemoveAPIToken(ctx, program.ID),
		"touch":           other.TouchAgent(ctx, agent, evening),
		"save":            errorOf(other.SaveReports(ctx, agent, []store.NewReport{newReport(1)})),
		"report":          errorOf(other.Report(ctx, r.Report.ID)),
		"good report":     errorOf(other.LastGoodReport(ctx, participant, evening.Add(time.Hour))),
		"case":            errorOf(other.Case(ctx, r.Report.ID)),
		"case entry":      errorOf(other.AddCaseEntry(ctx, r.Report.ID, noted)),
		"member of staff": errorOf(other.StaffMember(ctx, "support")),
		"password":        other.SetStaffPassword(ctx, "support", "x"),
		"own password":    other.ReplaceStaffPassword(ctx, "support", "", "x"),
		"late session":    other.AddSession(ctx, store.Session{TokenHash: store.HashOf("late"), StaffName: "support"}),
		"late browser":    other.AddDevice(ctx, store.Device{TokenHash: store.HashOf("late"), StaffName: "support"}),
		"late challenge":  other.AddLoginChallenge(ctx, store.LoginChallenge{TokenHash: store.HashOf("late"), StaffName: "support"}),
		"role":            other.SetStaffRole(ctx, "support", store.RoleLead),
		"disable":         other.DisableStaff(ctx, "support", evening),
		"enable":          other.EnableStaff(ctx, "support"),
		"reset":           other.ResetStaff(ctx, "support"),
		"invite":          other.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: store.HashOf("x"), StaffName: "support"}),
		"invitation":      errorOf(other.StaffInvitation(ctx, token, evening.Add(-time.Hour))),
		"accept":          errorOf(other.AcceptStaffInvitation(ctx, token, "x", evening.Add(-time.Hour))),
		"next secret":     other.SetNextSecret(ctx, "support", "x"),
		"confirm secret":  other.ConfirmSecret(ctx, "support", "sealed", nil, evening, evening),
		"remove secret":   other.RemoveSecret(ctx, "support"),
		"recovery code":   other.UseRecoveryCode(ctx, "support", token),
		"challenge":       errorOf(other.LoginChallenge(ctx, token, evening.Add(-time.Hour))),
		"use challenge":   other.UseLoginChallenge(ctx, token),
		"end a session":   other.EndStaffSession(ctx, "support", token),
		"session":         errorOf(other.Session(ctx, token)),
		"council":         errorOf(other.Council(ctx, council.ID)),
		"rename council":  other.RenameCouncil(ctx, council.ID, "x"),
		"remove council":  other.RemoveCouncil(ctx, council.ID),
		"members":         members,
		"their member":    other.AddCouncilMember(ctx, council.ID, participant),
		"foreign member":  other.AddCouncilMember(ctx, own.ID, participant),
		"foreign members": other.SetCouncilMembers(ctx, own.ID, []string{participant}),
		"remove member":   other.RemoveCouncilMember(ctx, council.ID, participant),
		"add session":     other.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: evening}),
		"council session": errorOf(other.CouncilSession(ctx, session.ID)),
		"change session":  other.ChangeCouncilSession(ctx, session),
		"remove session":  other.RemoveCouncilSession(ctx, session.ID),
		"import":          errorOf(other.UpsertSessions(ctx, council.ID, "x", nil, evening)),
		"device":          errorOf(other.Device(ctx, token)),
		"one-time login":  errorOf(other.UseOneTimeLogin(ctx, token, evening.Add(-time.Hour))),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: got error %v, want ErrNotFound", what, err)
		}
	}
	count := func(s *Store) (n int) {
		t.Helper()
		for _, order := range []store.Order{store.ByName, store.ByRecent, store.ByUrgency} {
			page, err := s.ParticipantStates(ctx, store.StateQuery{Order: order, Search: "Anna"})
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.States)
		}
		similar, err := s.SimilarStates(ctx, "Anba", 5)
		if err != nil {
			t.Fatal(err)
		}
		counts, err := s.CountStates(ctx, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts.Fresh {
			n += c
		}
		agents, err := s.Agents(ctx, participant)
		if err != nil {
			t.Fatal(err)
		}
		reports, err := s.CountReports(ctx, participant)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.ParticipantReports(ctx, store.ReportQuery{ParticipantID: participant})
		if err != nil {
			t.Fatal(err)
		}
		cases, err := s.CaseReports(ctx, "K7P-3QX", 5)
		if err != nil {
			t.Fatal(err)
		}
		members, err := s.StaffMembers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		signedIn, err := s.StaffSessions(ctx, "support", evening.Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		audit, err := s.AuditEntries(ctx, store.AuditQuery{})
		if err != nil {
			t.Fatal(err)
		}
		n += len(signedIn) + len(audit.Entries)
		sessions, err := s.CouncilSessions(ctx, store.SessionQuery{From: evening.Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		of, err := s.SessionsOf(ctx, participant, evening, evening.Add(time.Hour), 5)
		if err != nil {
			t.Fatal(err)
		}
		councils, err := s.CouncilsOf(ctx, participant)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := s.ParticipantCases(ctx, participant, 5)
		if err != nil {
			t.Fatal(err)
		}
		causes, err := s.CountCauses(ctx, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		programs, err := s.APITokens(ctx)
		if err != nil {
			t.Fatal(err)
		}
		n += len(programs)
		if err := s.ReportsBetween(ctx, participant, time.Time{}, evening.AddDate(1, 0, 0), 5, func(store.StoredReport) { n++ }); err != nil {
			t.Fatal(err)
		}
		if err := s.FirstReportsBetween(ctx, participant, time.Time{}, evening.AddDate(1, 0, 0), 5, func(store.StoredReport) { n++ }); err != nil {
			t.Fatal(err)
		}
		for _, search := range []string{"Anna", "Anba"} {
			if named, err := s.NamesMatch(ctx, search); err != nil {
				t.Fatal(err)
			} else if named {
				n++
			}
		}
		ids, err := s.CouncilMemberIDs(ctx, council.ID)
		if err != nil {
			t.Fatal(err)
		}
		n += len(sessions.Sessions) + len(ids) + len(of) + len(councils) + len(kept) + len(causes)
		return n + len(similar) + len(agents) + reports + len(page.Reports) + len(cases) + len(members)
	}
	if err := errors.Join(other.DeleteExpired(ctx, evening.Add(time.Hour)), other.DeleteSession(ctx, token), other.EndStaffSessions(ctx, "support", store.Hash{})); err != nil {
		t.Fatal(err)
	}
	if n, err := other.DeleteAuditEntries(ctx, evening.AddDate(1, 0, 0), 10); err != nil || n != 0 {
		t.Errorf("the other organisation deleted %d entries of the audit log, error %v", n, err)
	}
	if n, err := other.DeleteReports(ctx, evening.AddDate(1, 0, 0), 10); err != nil || n != 0 {
		t.Errorf("the other organisation deleted %d reports, error %v", n, err)
	}
	if n := count(&other); n != 0 {
		t.Errorf("the other organisation sees %d rows", n)
	}
	if n := count(s); n != 23 {
		t.Errorf("their owner sees %d things, want 23", n)
	}
	if _, err := s.Session(ctx, token); err != nil {
		t.Errorf("the session of the owner: got error %v", err)
	}
	// The id of a report is unique over all organisations.
	_, theirs := enrolled(t, &other)
	if got, err := other.SaveReports(ctx, theirs, []store.NewReport{r}); err != nil || got[0].Status != store.Foreign {
		t.Errorf("a report of another organisation: got %v, error %v; want [0].Status %v", got, err, store.Foreign)
	}
}
