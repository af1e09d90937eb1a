package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

// call is a call of a method, whose name begins with that of the method.
type call struct {
	name string
	do   func(ctx context.Context, s *Store) (result any, err error)
	// refused means that the call of another organisation may fail with any error.
	refused bool
	// foreignOnly means that the call makes sense for another organisation only.
	foreignOnly bool
}

func (c call) mayBeRefused() call { c.refused = true; return c }
func (c call) byOtherOnly() call  { c.foreignOnly = true; return c }

// gets is a call with a result.
func gets[T any](name string, do func(ctx context.Context, s *Store) (T, error)) call {
	return call{name: name, do: func(ctx context.Context, s *Store) (any, error) { return do(ctx, s) }}
}

// does is a call without a result.
func does(name string, do func(ctx context.Context, s *Store) error) call {
	return call{name: name, do: func(ctx context.Context, s *Store) (any, error) { return nil, do(ctx, s) }}
}

// callsAbout returns calls of all methods about what an organisation has, in the order in which they
// are made: those that remove something come last.
func callsAbout(a town) (all []call) {
	for _, some := range [][]call{participantCalls(a), agentCalls(a), reportCalls(a), councilCalls(a), accountCalls(a), loginCalls(a), removals(a)} {
		all = append(all, some...)
	}
	return all
}

const beforeEvening = -time.Minute

func participantCalls(a town) []call {
	return []call{
		does("AddParticipant", func(ctx context.Context, s *Store) error {
			return s.AddParticipant(ctx, store.Participant{ID: uuid.NewString(), Name: "Gamma"})
		}),
		does("AddParticipant with a known id", func(ctx context.Context, s *Store) error {
			return s.AddParticipant(ctx, store.Participant{ID: a.participant, Name: "Gamma"})
		}).byOtherOnly(),
		gets("Participant", func(ctx context.Context, s *Store) (store.Participant, error) {
			return s.Participant(ctx, a.participant)
		}),
		gets("ParticipantState", func(ctx context.Context, s *Store) (store.ParticipantState, error) {
			return s.ParticipantState(ctx, a.participant)
		}),
		gets("ParticipantStates", func(ctx context.Context, s *Store) (pages []store.StatePage, err error) {
			for _, q := range []store.StateQuery{{}, {Order: store.ByRecent}, {Order: store.ByUrgency, FreshSince: evening},
				{Search: "Anna"}, {Search: "0228 1"}, {Search: "K7P-3QX"}, {Search: "K7P"}} {
				page, err := s.ParticipantStates(ctx, q)
				if err != nil {
					return nil, err
				}
				pages = append(pages, page)
			}
			return pages, nil
		}),
		gets("SimilarStates", func(ctx context.Context, s *Store) ([]store.ParticipantState, error) {
			return s.SimilarStates(ctx, "Anba", 5)
		}),
		gets("SimilarStates of a code", func(ctx context.Context, s *Store) ([]store.ParticipantState, error) {
			return s.SimilarStates(ctx, "K7P-3QY", 5)
		}),
		gets("NamesMatch", func(ctx context.Context, s *Store) (bool, error) { return s.NamesMatch(ctx, a.tag) }),
		gets("NamesMatch with a wrong letter", func(ctx context.Context, s *Store) (bool, error) { return s.NamesMatch(ctx, a.tag[:4]+"x") }),
		gets("StateRevision", func(ctx context.Context, s *Store) (int64, error) { return s.StateRevision(ctx) }),
		gets("ChangedStates", func(ctx context.Context, s *Store) (store.StateChanges, error) {
			revision, err := s.StateRevision(ctx)
			if err != nil {
				return store.StateChanges{}, err
			}
			return s.ChangedStates(ctx, revision-1, 9)
		}),
		does("EditParticipant", func(ctx context.Context, s *Store) error {
			return s.EditParticipant(ctx, a.participant, "Anna Gamma", "0228 2")
		}),
		does("SetBlocked", func(ctx context.Context, s *Store) error { return s.SetBlocked(ctx, a.alone, true) }),
		gets("CountStates", func(ctx context.Context, s *Store) (store.StateCounts, error) { return s.CountStates(ctx, evening) }),
	}
}

func agentCalls(a town) []call {
	return []call{
		does("AddEnrolCode", func(ctx context.Context, s *Store) error {
			return s.AddEnrolCode(ctx, store.EnrolCode{Hash: store.HashOf("new code"), ParticipantID: a.participant, ExpiresAt: evening.Add(time.Hour)})
		}),
		gets("Enrol", func(ctx context.Context, s *Store) (store.Participant, error) {
			return s.Enrol(ctx, a.code, store.NewAgent{ID: "new agent", TokenHash: a.code}, evening)
		}),
		gets("Enrol a known agent", func(ctx context.Context, s *Store) (p store.Participant, err error) {
			code := store.HashOf("code of " + s.org)
			if p, err = s.ofAnybody(ctx); err != nil {
				return p, err
			}
			if err = s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: p.ID, ExpiresAt: evening.Add(time.Hour)}); err != nil {
				return p, err
			}
			return s.Enrol(ctx, code, store.NewAgent{ID: a.agent, TokenHash: code}, evening)
		}).byOtherOnly(),
		gets("AgentByToken", func(ctx context.Context, s *Store) (any, error) {
			agent, participant, err := s.AgentByToken(ctx, a.token)
			return []any{agent, participant}, err
		}),
		gets("AgentByOtherToken", func(ctx context.Context, s *Store) (store.OtherToken, error) { return s.AgentByOtherToken(ctx, a.next) }),
		gets("Agents", func(ctx context.Context, s *Store) ([]store.Agent, error) { return s.Agents(ctx, a.participant) }),
		does("TouchAgent", func(ctx context.Context, s *Store) error { return s.TouchAgent(ctx, a.agent, evening.Add(2*time.Hour)) }),
		does("AddOwnPageCode", func(ctx context.Context, s *Store) error {
			return s.AddOwnPageCode(ctx, a.agent, store.HashOf("code of an own page"), evening.Add(time.Hour))
		}),
		gets("OpenOwnPage", func(ctx context.Context, s *Store) (string, error) {
			return s.OpenOwnPage(ctx, store.HashOf("code of an own page"), store.HashOf("visit"), evening, evening.Add(time.Hour))
		}),
		gets("OwnPage", func(ctx context.Context, s *Store) (string, error) {
			return s.OwnPage(ctx, store.HashOf("visit"), evening)
		}),
		does("CloseOwnPage", func(ctx context.Context, s *Store) error { return s.CloseOwnPage(ctx, store.HashOf("visit")) }),
		does("AskForRenewal", func(ctx context.Context, s *Store) error { return s.AskForRenewal(ctx, a.agent, evening) }),
		does("AddToken", func(ctx context.Context, s *Store) error {
			return s.AddToken(ctx, a.agent, a.token, store.HashOf("another token"))
		}),
		does("UseToken", func(ctx context.Context, s *Store) error {
			return s.UseToken(ctx, a.agent, store.HashOf("another token"), evening)
		}),
	}
}

// ofAnybody returns a participant of the organisation.
func (s *Store) ofAnybody(ctx context.Context) (store.Participant, error) {
	page, err := s.ParticipantStates(ctx, store.StateQuery{Limit: 1})
	if err != nil || len(page.States) == 0 {
		return store.Participant{}, err
	}
	return page.States[0].Participant, nil
}

func reportCalls(a town) []call {
	until := evening.Add(time.Hour)
	visit := func(name string, visit func(ctx context.Context, s *Store, each func(store.StoredReport)) error) call {
		return gets(name, func(ctx context.Context, s *Store) (reports []store.StoredReport, err error) {
			err = visit(ctx, s, func(r store.StoredReport) { reports = append(reports, r) })
			return reports, err
		})
	}
	another := newReport(180)
	note := func(kind store.CaseEntryKind, cause string) store.CaseEntry {
		return store.CaseEntry{At: until, By: "support", Kind: kind, Text: a.tag, Cause: cause}
	}
	return []call{
		gets("SaveReports", func(ctx context.Context, s *Store) ([]store.SaveResult, error) {
			return s.SaveReports(ctx, a.agent, []store.NewReport{another})
		}),
		gets("SaveReports with a known id", func(ctx context.Context, s *Store) (store.SaveStatus, error) {
			agent, err := s.anyAgent(ctx)
			if err != nil {
				return "", err
			}
			r := newReport(0)
			r.Report.ID = a.report
			results, err := s.SaveReports(ctx, agent, []store.NewReport{r})
			if err != nil || results[0].Status == store.Foreign {
				return "", err
			}
			return store.SaveStatus(a.tag), nil // accepted it
		}).byOtherOnly(),
		gets("Report", func(ctx context.Context, s *Store) (store.StoredReport, error) { return s.Report(ctx, a.report) }),
		gets("ParticipantReports", func(ctx context.Context, s *Store) (store.ReportPage, error) {
			return s.ParticipantReports(ctx, store.ReportQuery{ParticipantID: a.participant})
		}),
		gets("LastGoodReport", func(ctx context.Context, s *Store) (store.StoredReport, error) {
			return s.LastGoodReport(ctx, a.participant, until)
		}),
		visit("ReportsBetween", func(ctx context.Context, s *Store, each func(store.StoredReport)) error {
			return s.ReportsBetween(ctx, a.participant, evening, until, 9, each)
		}),
		visit("FirstReportsBetween", func(ctx context.Context, s *Store, each func(store.StoredReport)) error {
			return s.FirstReportsBetween(ctx, a.participant, evening, until, 9, each)
		}),
		visit("ReceivedReports", func(ctx context.Context, s *Store, each func(store.StoredReport)) error {
			return s.ReceivedReports(ctx, evening, 9, each)
		}),
		gets("CountReports", func(ctx context.Context, s *Store) (int, error) { return s.CountReports(ctx, a.participant) }),
		gets("CaseReports", func(ctx context.Context, s *Store) ([]store.ReportSummary, error) {
			return s.CaseReports(ctx, "K7P-3QX", 9)
		}),
		gets("Case", func(ctx context.Context, s *Store) (store.Case, error) { return s.Case(ctx, a.second) }),
		gets("AddCaseEntry", func(ctx context.Context, s *Store) (store.Case, error) {
			return s.AddCaseEntry(ctx, a.report, note(store.CaseWasClosed, store.CauseNone))
		}),
		gets("ParticipantCases", func(ctx context.Context, s *Store) ([]store.Case, error) {
			return s.ParticipantCases(ctx, a.participant, 9)
		}),
		gets("Desk", func(ctx context.Context, s *Store) (store.Desk, error) {
			return s.Desk(ctx, store.DeskQuery{FreshSince: evening, ClosedSince: evening, By: "support"})
		}),
		gets("CountCauses", func(ctx context.Context, s *Store) ([]store.CauseCount, error) { return s.CountCauses(ctx, evening) }),
	}
}

// anyAgent returns the id of an agent of the organisation.
func (s *Store) anyAgent(ctx context.Context) (id string, err error) {
	err = s.read.row(ctx, `SELECT id FROM agents WHERE org_id = ? LIMIT 1`, s.org).Scan(&id)
	return id, err
}

// anyCouncil returns the id of a council of the organisation.
func (s *Store) anyCouncil(ctx context.Context) (string, error) {
	c, err := s.CouncilNamed(ctx, "Rat")
	return c.ID, err
}

func councilCalls(a town) []call {
	session := store.CouncilSession{ID: a.session, CouncilID: a.council, Title: "Gamma", StartsAt: evening}
	imported := []store.CouncilSession{{SourceUID: a.uid, Title: "Gamma", StartsAt: evening.Add(time.Hour)}}
	disturbed := store.DisturbanceEntry{Key: "b", Kind: store.DisturbanceReported, At: evening.Add(time.Hour), ParticipantID: a.participant}
	return []call{
		does("AddCouncil", func(ctx context.Context, s *Store) error {
			return s.AddCouncil(ctx, store.Council{ID: uuid.NewString(), Name: "Gamma"})
		}),
		gets("Council", func(ctx context.Context, s *Store) (store.Council, error) { return s.Council(ctx, a.council) }),
		gets("CouncilNamed", func(ctx context.Context, s *Store) (store.Council, error) { return s.CouncilNamed(ctx, "Rat") }),
		gets("CouncilOfSource", func(ctx context.Context, s *Store) (store.Council, error) {
			return s.CouncilOfSource(ctx, "source "+a.tag)
		}),
		gets("CouncilPage", func(ctx context.Context, s *Store) (store.CouncilPage, error) { return s.CouncilPage(ctx, "", 9) }),
		does("RenameCouncil", func(ctx context.Context, s *Store) error { return s.RenameCouncil(ctx, a.council, "Stadtrat") }),
		gets("CouncilMembers", func(ctx context.Context, s *Store) (any, error) {
			members, _, err := s.CouncilMembers(ctx, a.council)
			return members, err
		}),
		gets("CouncilMemberIDs", func(ctx context.Context, s *Store) ([]string, error) { return s.CouncilMemberIDs(ctx, a.council) }),
		gets("CouncilsOf", func(ctx context.Context, s *Store) ([]store.Council, error) { return s.CouncilsOf(ctx, a.participant) }),
		does("AddCouncilMember", func(ctx context.Context, s *Store) error { return s.AddCouncilMember(ctx, a.council, a.alone) }),
		does("AddCouncilMember of another organisation", func(ctx context.Context, s *Store) error {
			own, err := s.anyCouncil(ctx)
			if err != nil {
				return err
			}
			return s.AddCouncilMember(ctx, own, a.participant)
		}).byOtherOnly(),
		does("SetCouncilMembers", func(ctx context.Context, s *Store) error {
			return s.SetCouncilMembers(ctx, a.council, []string{a.participant})
		}),
		does("SetCouncilMembers of another organisation", func(ctx context.Context, s *Store) error {
			own, err := s.anyCouncil(ctx)
			if err != nil {
				return err
			}
			return s.SetCouncilMembers(ctx, own, []string{a.participant})
		}).byOtherOnly(),
		does("AddCouncilSession", func(ctx context.Context, s *Store) error {
			return s.AddCouncilSession(ctx, store.CouncilSession{ID: uuid.NewString(), CouncilID: a.council, StartsAt: evening})
		}),
		gets("CouncilSession", func(ctx context.Context, s *Store) (store.CouncilSession, error) {
			return s.CouncilSession(ctx, a.session)
		}),
		gets("CouncilSessions", func(ctx context.Context, s *Store) (store.SessionPage, error) {
			return s.CouncilSessions(ctx, store.SessionQuery{From: evening.Add(beforeEvening)})
		}),
		gets("CouncilSessions of a council", func(ctx context.Context, s *Store) (store.SessionPage, error) {
			return s.CouncilSessions(ctx, store.SessionQuery{From: evening.Add(beforeEvening), CouncilID: a.council})
		}),
		gets("SessionsOf", func(ctx context.Context, s *Store) ([]store.CouncilSession, error) {
			return s.SessionsOf(ctx, a.participant, evening, evening.Add(time.Hour), 9)
		}),
		does("ChangeCouncilSession", func(ctx context.Context, s *Store) error { return s.ChangeCouncilSession(ctx, session) }),
		gets("UpsertSessions", func(ctx context.Context, s *Store) (store.ImportResult, error) {
			return s.UpsertSessions(ctx, a.council, "source "+a.tag, imported, evening)
		}),
		gets("ApplyImport", func(ctx context.Context, s *Store) ([]store.ImportResult, error) {
			return s.ApplyImport(ctx, store.Import{Now: evening, Members: []store.MemberChange{{CouncilID: a.council, Add: []string{a.alone}, Remove: []string{a.participant}}}})
		}),
		gets("ApplyImport of sessions", func(ctx context.Context, s *Store) ([]store.ImportResult, error) {
			return s.ApplyImport(ctx, store.Import{Now: evening, Sessions: []store.SessionImport{{CouncilID: a.council, Source: "source " + a.tag}}})
		}),
		gets("ApplyImport of a code", func(ctx context.Context, s *Store) ([]store.ImportResult, error) {
			return s.ApplyImport(ctx, store.Import{Codes: []store.EnrolCode{{Hash: store.HashOf("imported"), ParticipantID: a.participant, ExpiresAt: evening}}})
		}),
		does("ApplyImport of a source", func(ctx context.Context, s *Store) error {
			_, err := s.ApplyImport(ctx, store.Import{Now: evening, Sources: []store.ParticipantSource{{ParticipantID: a.participant, SourceID: "source of " + a.tag}}})
			return err
		}),
		gets("ParticipantOfSource", func(ctx context.Context, s *Store) (store.Participant, error) {
			return s.ParticipantOfSource(ctx, "source of "+a.tag)
		}),
		gets("DisturbanceRecord", func(ctx context.Context, s *Store) (store.DisturbanceRecord, error) {
			return s.DisturbanceRecord(ctx, a.session)
		}),
		gets("DisturbanceOutline", func(ctx context.Context, s *Store) (store.DisturbanceRecord, error) {
			return s.DisturbanceOutline(ctx, a.session)
		}),
		gets("PersonEntries", func(ctx context.Context, s *Store) ([]store.PersonEntry, error) {
			return s.PersonEntries(ctx, a.participant)
		}),
		gets("DisturbanceRecords", func(ctx context.Context, s *Store) ([]store.RecordSummary, error) {
			return s.DisturbanceRecords(ctx, 9)
		}),
		gets("AddDisturbanceEntry", func(ctx context.Context, s *Store) (any, error) {
			record, entry, err := s.AddDisturbanceEntry(ctx, store.DisturbanceRecord{SessionID: a.session, StartsAt: evening}, disturbed)
			return []any{record, entry}, err
		}),
		does("AddDisturbanceEntry about another organisation's person", func(ctx context.Context, s *Store) error {
			_, _, err := s.AddDisturbanceEntry(ctx, store.DisturbanceRecord{SessionID: uuid.NewString(), StartsAt: evening}, disturbed)
			return err
		}).byOtherOnly(),
	}
}
