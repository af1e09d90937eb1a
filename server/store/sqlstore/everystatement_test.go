package sqlstore

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// useEverything calls each method that reads or changes what grows with the number
// of participants and reports, once for each separate statement.
func useEverything(t *testing.T, s *Store) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := store.Participant{ID: uuid.NewString(), Name: "Anna", CreatedAt: evening}
	must(s.AddParticipant(ctx, p))
	code, token := store.HashOf(uuid.NewString()), store.HashOf(uuid.NewString())
	must(s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
	agent := uuid.NewString()
	_, err := s.Enrol(ctx, code, store.NewAgent{ID: agent, TokenHash: token}, evening)
	must(err)
	var ids []string
	for range 3 {
		ids = append(ids, uuid.NewString())
	}
	for range 2 { // the second time they are duplicates
		for i, id := range ids {
			at := evening.Add(time.Duration(i) * time.Minute)
			r := &report.Report{ID: id, Case: "K7P-3QX", StartedAt: at, Verdict: report.Ready}
			_, err := s.SaveReports(ctx, agent, []store.NewReport{{Report: r, Document: []byte("{}"), ReceivedAt: at, CheckedAt: at}})
			must(err)
		}
	}
	defaults := s.limits
	for _, found := range []int{defaults.found, -1} { // few candidates, and too many
		s.limits.found = found
		for _, order := range []store.Order{store.ByName, store.ByRecent, store.ByUrgency} {
			for _, q := range []store.StateQuery{{}, {Verdict: report.Unknown}, {Old: true}, {Never: true}, {Blocked: store.BlockedNot}, {Blocked: store.BlockedOnly},
				{Search: "anna 0228"}, {Search: "0228 5550"}, {Search: "9E5"}, {Search: "K7P"}, {Search: "73QX"}, {Search: "K7P-3QX"}} {
				for _, since := range []time.Time{{}, evening.Add(-time.Hour)} {
					q.Order, q.FreshSince, q.Limit, q.After = order, since, 1, ""
					page, err := s.ParticipantStates(ctx, q)
					must(err)
					if q.After = page.Next; q.After != "" {
						_, err = s.ParticipantStates(ctx, q)
						must(err)
					}
				}
			}
		}
	}
	s.limits = defaults
	for _, search := range []string{"Anba", "An", "K7P-3QY"} {
		_, err = s.SimilarStates(ctx, search, 3)
		must(err)
		_, err = s.NamesMatch(ctx, search)
		must(err)
	}
	_, err = s.ChangedStates(ctx, 0, 1)
	must(err)
	_, err = s.CountStates(ctx, evening)
	must(err)
	_, err = s.Participant(ctx, p.ID)
	must(err)
	_, _, err = s.AgentByToken(ctx, token)
	must(err)
	_, err = s.Agents(ctx, p.ID)
	must(err)
	_, err = s.Report(ctx, ids[0])
	must(err)
	_, err = s.CountReports(ctx, p.ID)
	must(err)
	must(s.ReceivedReports(ctx, evening, 1, func(store.StoredReport) {}))
	must(s.ReportsBetween(ctx, p.ID, evening, evening.Add(time.Hour), 1, func(store.StoredReport) {}))
	must(s.FirstReportsBetween(ctx, p.ID, evening, evening.Add(time.Hour), 1, func(store.StoredReport) {}))
	if _, err = s.LastGoodReport(ctx, p.ID, evening.Add(time.Hour)); !errors.Is(err, store.ErrNotFound) {
		must(err)
	}
	_, err = s.CaseReports(ctx, "K7P-3QX", 1)
	must(err)
	page, err := s.ParticipantReports(ctx, store.ReportQuery{ParticipantID: p.ID, Limit: 1})
	must(err)
	_, err = s.ParticipantReports(ctx, store.ReportQuery{ParticipantID: p.ID, Limit: 1, After: page.Next})
	must(err)
	_, err = s.AddCaseEntry(ctx, ids[0], store.CaseEntry{At: evening, By: "support", Kind: store.CaseWasTaken})
	must(err)
	_, err = s.ParticipantCases(ctx, p.ID, 1)
	must(err)
	_, err = s.CountCauses(ctx, evening)
	must(err)
	program := store.APIToken{ID: uuid.NewString(), Name: "x", Hash: token, Scopes: store.Scopes(), CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}
	must(s.AddAPIToken(ctx, program))
	_, err = s.APIToken(ctx, token)
	must(err)
	_, err = s.APITokens(ctx)
	must(err)
	must(s.UseAPIToken(ctx, program.ID, evening))
	must(s.RemoveAPIToken(ctx, program.ID))
	must(s.AddStaff(ctx, store.StaffMember{Name: "support", Role: store.RoleSupport}))
	record := store.DisturbanceRecord{SessionID: uuid.NewString(), Head: "{}", StartsAt: evening}
	_, _, err = s.AddDisturbanceEntry(ctx, record, store.DisturbanceEntry{Key: "a", Kind: store.DisturbanceReported, At: evening, ParticipantID: p.ID,
		People: []store.PersonText{{ParticipantID: p.ID, Hash: store.TextHash("Anna"), Text: "Anna"}}})
	must(err)
	_, _, err = s.AddDisturbanceEntry(ctx, record, store.DisturbanceEntry{Key: "b", Kind: store.RecordClosed, At: evening})
	must(err)
	_, err = s.DisturbanceRecord(ctx, record.SessionID)
	must(err)
	_, err = s.DisturbanceRecords(ctx, 1)
	must(err)
	_, err = s.DeleteDisturbanceRecords(ctx, evening, 1)
	must(err)
	_, err = s.DeleteDisturbanceRecords(ctx, evening.Add(time.Hour), 1)
	must(err)
	_, err = s.Desk(ctx, store.DeskQuery{FreshSince: evening, ClosedSince: evening})
	must(err)
	must(s.AddGuess(ctx, []store.Guess{{Bucket: "a", Cost: time.Hour, Full: time.Hour}, {Bucket: "b", Cost: time.Hour, Full: time.Hour}}, evening))
	_, err = s.GuessesUntil(ctx, []string{"a", "b"})
	must(err)
	must(s.ForgetGuesses(ctx, []string{"a"}))
	must(s.AddOwnPageCode(ctx, agent, store.HashOf("own page"), evening.Add(time.Hour)))
	_, err = s.OpenOwnPage(ctx, store.HashOf("own page"), store.HashOf("visit"), evening, evening.Add(time.Hour))
	must(err)
	_, err = s.OwnPage(ctx, store.HashOf("visit"), evening)
	must(err)
	must(s.CloseOwnPage(ctx, store.HashOf("visit")))
	h := store.HashOf(uuid.NewString())
	must(s.AddSession(ctx, store.Session{TokenHash: h, StaffName: "support"}))
	_, err = s.Session(ctx, h)
	must(err)
	must(s.AddDevice(ctx, store.Device{TokenHash: h, StaffName: "support"}))
	_, err = s.Device(ctx, h)
	must(err)
	must(s.AddOneTimeLogin(ctx, store.OneTimeLogin{TokenHash: h, StaffName: "support", ExpiresAt: evening.Add(time.Hour)}))
	_, err = s.UseOneTimeLogin(ctx, h, evening)
	must(err)
	must(s.SetStaffPassword(ctx, "support", "x"))
	must(s.ReplaceStaffPassword(ctx, "support", "x", "y"))
	must(s.DeleteSession(ctx, h))
	useCouncils(t, s, p.ID)
	must(s.TouchAgent(ctx, agent, evening))
	next := store.HashOf(uuid.NewString())
	must(s.AskForRenewal(ctx, agent, evening))
	must(s.AddToken(ctx, agent, token, next))
	must(s.UseToken(ctx, agent, next, evening))
	_, err = s.AgentByOtherToken(ctx, token)
	must(err)
	must(s.SetBlocked(ctx, p.ID, true))
	must(s.EditParticipant(ctx, p.ID, "Berta", ""))
	must(s.RevokeAgent(ctx, agent, evening))
	_, err = s.DeleteExpired(ctx, evening)
	must(err)
	for i := range 3 {
		must(s.AddAuditEntry(ctx, store.AuditEntry{ID: fmt.Sprint(p.ID, i), At: evening, Kind: store.AuditSignedIn}))
	}
	for _, q := range []store.AuditQuery{{}, {StaffName: "support"}, {Kind: store.AuditSignedIn}, {ParticipantID: p.ID}, {From: evening, To: evening.Add(time.Hour)},
		{StaffName: "support", Kind: store.AuditSignedIn, ParticipantID: p.ID, From: evening, To: evening.Add(time.Hour)}} {
		q.Limit = 1
		page, err := s.AuditEntries(ctx, q)
		must(err)
		q.After = page.Next
		_, err = s.AuditEntries(ctx, q)
		must(err)
	}
	_, err = s.DeleteAuditEntries(ctx, evening, 10)
	must(err)
	_, err = s.DeleteReports(ctx, evening, 1)
	must(err)
	must(s.DeleteParticipant(ctx, p.ID, evening))
	_, err = s.PersonEntries(ctx, p.ID)
	must(err)
	_, err = s.ErasedToken(ctx, next)
	must(err)
	_, err = s.ErasedPerson(ctx, "Berta", "oparl:1")
	if !errors.Is(err, store.ErrNotFound) {
		must(err)
	}
	_, err = s.ParticipantOfSource(ctx, "oparl:1")
	if !errors.Is(err, store.ErrNotFound) {
		must(err)
	}
	_, err = s.DeleteErasedNames(ctx, evening, 10)
	must(err)
	_, err = s.PersonMarks(ctx, p.ID)
	if !errors.Is(err, store.ErrNotFound) {
		must(err)
	}
	_, err = s.DeleteCouncilSessions(ctx, evening, 10)
	must(err)
	useRetention(t, s)
	list, err := s.Tombstones(ctx)
	must(err)
	list.Hashes = append(list.Hashes, store.HashOf(p.ID))
	_, err = s.AddTombstones(ctx, list, evening)
	must(err)
}

// useRetention deletes somebody without a council, and keeps a member.
func useRetention(t *testing.T, s *Store) {
	ctx := t.Context()
	c := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: evening}
	gone, member := store.Participant{ID: uuid.NewString(), Name: "Carl", CreatedAt: evening}, store.Participant{ID: uuid.NewString(), Name: "Mia", CreatedAt: evening}
	for _, err := range []error{
		s.AddCouncil(ctx, c),
		s.AddParticipant(ctx, gone),
		s.AddParticipant(ctx, member),
		s.NotePeopleWithoutCouncil(ctx, evening),
		s.AddCouncilMember(ctx, c.ID, member.ID),
		s.NotePeopleWithoutCouncil(ctx, evening),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.DeletePeopleWithoutCouncil(ctx, evening.Add(time.Hour), evening.Add(time.Minute), 1); err != nil || n != 1 {
		t.Errorf("got %d deleted, error %v; want 1", n, err)
	}
	if err := s.RemoveCouncil(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
}

func useCouncils(t *testing.T, s *Store, participantID string) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, name := range []string{"Rat", "Bau", "Schule"} {
		c := store.Council{ID: uuid.NewString(), Name: name, CreatedAt: evening}
		must(s.AddCouncil(ctx, c))
		ids = append(ids, c.ID)
		must(s.AddCouncilMember(ctx, c.ID, participantID))
		for i := range 3 {
			must(s.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: c.ID, StartsAt: evening.Add(time.Duration(i) * time.Hour)}))
		}
	}
	councils, err := s.CouncilPage(ctx, "", 1)
	must(err)
	_, err = s.CouncilPage(ctx, councils.Next, 1)
	must(err)
	_, err = s.CouncilOfSource(ctx, "ics:1")
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("council of an unknown source: %v, want %v", err, store.ErrNotFound)
	}
	_, err = s.CouncilNamed(ctx, "Rat")
	must(err)
	for _, q := range []store.SessionQuery{{From: evening, Limit: 1}, {From: evening, Limit: 1, CouncilID: ids[0]}} {
		page, err := s.CouncilSessions(ctx, q)
		must(err)
		q.After = page.Next
		page, err = s.CouncilSessions(ctx, q)
		must(err)
		one, err := s.CouncilSession(ctx, page.Sessions[0].ID)
		must(err)
		must(s.ChangeCouncilSession(ctx, one))
		must(s.RemoveCouncilSession(ctx, one.ID))
	}
	_, _, err = s.CouncilMembers(ctx, ids[0])
	must(err)
	_, err = s.CouncilMemberIDs(ctx, ids[0])
	must(err)
	_, err = s.SessionsOf(ctx, participantID, evening, evening.AddDate(0, 0, 14), 3)
	must(err)
	for _, title := range []string{"a", "b"} {
		_, err = s.UpsertSessions(ctx, ids[0], "source", []store.CouncilSession{{SourceUID: "1", Title: title, StartsAt: evening}}, evening)
		must(err)
	}
	must(s.SetCouncilMembers(ctx, ids[1], nil))
	must(s.RemoveCouncilMember(ctx, ids[0], participantID))
	must(s.RenameCouncil(ctx, ids[0], "Stadtrat"))
	for _, id := range ids {
		must(s.RemoveCouncil(ctx, id))
	}
}

// addRows adds rows to the lists, so that they have second pages.
func addRows(t *testing.T, s *Store, n int) {
	for range n {
		if err := s.AddParticipant(t.Context(), store.Participant{ID: uuid.NewString(), Name: "Anna 0228", Phone: "0228 5550", CreatedAt: evening}); err != nil {
			t.Fatal(err)
		}
	}
}
