package sqlstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/pgtest"
)

// onBothEngines runs a test with a new store of each database.
func onBothEngines(t *testing.T, test func(t *testing.T, s *Store)) {
	for name, open := range map[string]func(t *testing.T) *Store{
		"SQLite":     newSQLite,
		"PostgreSQL": func(t *testing.T) *Store { return openPostgres(t, pgtest.Database(t)) },
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// beside returns the store of another organisation in the same database.
func beside(t *testing.T, s *Store) *Store {
	t.Helper()
	if _, err := s.write.exec(t.Context(), `INSERT INTO organisations (id, name, created_at) VALUES ('other', 'Other', 0)`); err != nil {
		t.Fatal(err)
	}
	other := *s
	other.org = "other"
	return &other
}

// town contains the ids of what an organisation has. Names of councils and of staff are the same in
// all of them.
type town struct {
	tag                                 string
	participant, alone, agent           string
	report, second, good                string
	council, session, uid, record, work string
	program                             string
	code, token, next                   store.Hash
}

// marks are texts that only this organisation has.
func (a town) marks() []string {
	return []string{a.tag, a.participant, a.alone, a.agent, a.report, a.second, a.good, a.council, a.session, a.record, a.work, a.program}
}

// settle fills an organisation.
func settle(t *testing.T, s *Store, tag string) (a town) {
	t.Helper()
	ctx, later := t.Context(), evening.Add(time.Hour)
	a = town{tag: tag, participant: uuid.NewString(), alone: uuid.NewString(), agent: uuid.NewString(), report: uuid.NewString(), second: uuid.NewString(), good: uuid.NewString(),
		council: uuid.NewString(), session: uuid.NewString(), uid: uuid.NewString(), program: uuid.NewString(),
		code: store.HashOf("code" + tag), token: store.HashOf("token" + tag), next: store.HashOf("next" + tag)}
	of := func(id string, n int) store.NewReport {
		r := newReport(n)
		r.Report.ID, r.Report.Verdict = id, report.NotReady
		r.Report.Causes = []report.Cause{{Code: "audio.os_muted", Severity: report.SeverityFail, Primary: true}}
		r.Document = []byte(`{"tag":"` + tag + `"}`)
		return r
	}
	must(t, s.AddParticipant(ctx, store.Participant{ID: a.participant, Name: "Anna " + tag, Phone: "0228 1", CreatedAt: evening}),
		s.AddParticipant(ctx, store.Participant{ID: a.alone, Name: tag, CreatedAt: evening}),
		s.AddEnrolCode(ctx, store.EnrolCode{Hash: a.token, ParticipantID: a.participant, CreatedAt: evening, ExpiresAt: later}),
		errorOf(s.Enrol(ctx, a.token, store.NewAgent{ID: a.agent, TokenHash: a.token}, evening)),
		s.AddEnrolCode(ctx, store.EnrolCode{Hash: a.code, ParticipantID: a.participant, CreatedAt: evening, ExpiresAt: later}),
		errorOf(s.SaveReports(ctx, a.agent, []store.NewReport{of(a.report, 0), of(a.second, 60), of(a.good, 30)})),
		s.AddToken(ctx, a.agent, a.token, a.next),
		s.AddStaff(ctx, store.StaffMember{Name: "support", Role: store.RoleSupport, PasswordHash: tag, CreatedAt: evening}),
		s.AddSession(ctx, store.Session{TokenHash: a.token, StaffName: "support", Browser: tag, PasswordHash: tag, CreatedAt: evening, ExpiresAt: later}),
		s.AddDevice(ctx, store.Device{TokenHash: a.token, StaffName: "support", PasswordHash: tag, CreatedAt: evening, ExpiresAt: later}),
		s.AddOneTimeLogin(ctx, store.OneTimeLogin{TokenHash: a.token, StaffName: "support", CreatedAt: evening, ExpiresAt: later}),
		s.AddLoginChallenge(ctx, store.LoginChallenge{TokenHash: a.token, StaffName: "support", PasswordHash: tag, CreatedAt: evening, ExpiresAt: later}),
		s.AddStaffInvitation(ctx, store.StaffInvitation{TokenHash: a.token, StaffName: "support", CreatedAt: evening, ExpiresAt: later}),
		s.SetNextSecret(ctx, "support", tag),
		s.AddUsedCode(ctx, store.UsedCode{Hash: a.token, StaffName: "support", UsedAt: evening, ExpiresAt: later}),
		s.AddAuditEntry(ctx, store.AuditEntry{ID: uuid.NewString(), At: evening, StaffName: "support", Kind: store.AuditSignedIn, Subject: tag}),
		s.AddAPIToken(ctx, store.APIToken{ID: a.program, Name: "statistics", Hash: a.token, Scopes: store.Scopes(), CreatedAt: evening, ExpiresAt: later}),
		s.AddCouncil(ctx, store.Council{ID: a.council, Name: "Rat", CreatedAt: evening}),
		s.AddCouncilMember(ctx, a.council, a.participant),
		s.AddRetentionRun(ctx, store.ReportData, evening, len(tag)),
		s.AddCouncilSession(ctx, store.CouncilSession{ID: a.session, CouncilID: a.council, Title: tag, StartsAt: evening}),
		errorOf(s.UpsertSessions(ctx, a.council, "source "+tag, []store.CouncilSession{{SourceUID: a.uid, StartsAt: evening}}, evening)),
		errorOf(s.AddCaseEntry(ctx, a.second, store.CaseEntry{At: evening, By: "support", Kind: store.CaseNoted, Text: tag})))
	record, _, err := s.AddDisturbanceEntry(ctx, store.DisturbanceRecord{SessionID: a.session, Head: tag, StartsAt: evening}, store.DisturbanceEntry{Key: "a",
		Kind: store.DisturbanceReported, At: evening, ParticipantID: a.participant,
		People: []store.PersonText{{ParticipantID: a.participant, Hash: store.TextHash(tag), Text: tag}}})
	must(t, err)
	a.record = record.ID
	must(t, s.read.row(ctx, `SELECT id FROM cases WHERE report_id = ?`, a.second).Scan(&a.work),
		errorOf(s.write.exec(ctx, `UPDATE reports SET verdict = ?, headline = ? WHERE id = ?`, "ready", "ready", a.good)))
	return a
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

// rowsWith returns all rows of the database that belong to the organisation of s, or contain a text.
func rowsWith(t *testing.T, s *Store, texts []string) map[string][]string {
	t.Helper()
	statement := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if s.write.folder == postgresFolder {
		statement = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	tables, err := collect(t.Context(), s.read, func(row scanner) (name string, err error) { return name, row.Scan(&name) }, statement)
	must(t, err)
	all := map[string][]string{}
	for _, table := range tables {
		for _, row := range rowsOf(t, s.read.pool, table) {
			for column, value := range row {
				if raw, ok := value.([]byte); ok {
					row[column] = fmt.Sprintf("%x", raw)
				}
			}
			org := row["org_id"]
			if table == "organisations" {
				org = row["id"]
			}
			text := fmt.Sprint(row)
			if org == s.org || slices.ContainsFunc(texts, func(part string) bool { return strings.Contains(text, part) }) {
				all[table] = append(all[table], text)
			}
		}
		slices.Sort(all[table])
	}
	return all
}

// wholeDatabase are the methods that are about the database and not about an organisation.
var wholeDatabase = []string{"Backup", "Close", "Ping"}

// TestOrganisationsSeeNothingOfEachOther calls each method of a store with what belongs to one
// organisation: first for another one, which must not receive nor change anything of it, and then
// for the organisation itself, so that the call is known to have a result or an effect.
func TestOrganisationsSeeNothingOfEachOther(t *testing.T) {
	onBothEngines(t, func(t *testing.T, s *Store) {
		other := beside(t, s)
		a := settle(t, s, "Alpha")
		settle(t, other, "Beta")
		// What only the first one has, so that counts differ.
		must(t, s.AddStaff(t.Context(), store.StaffMember{Name: "lead", Role: store.RoleLead}), s.SetBlocked(t.Context(), a.alone, false),
			s.SetBlocked(t.Context(), a.alone, true), s.SetBlocked(t.Context(), a.alone, false))
		var called []string
		rows := rowsWith(t, s, a.marks())
		for _, c := range callsAbout(a) {
			method, _, _ := strings.Cut(c.name, " ")
			called = append(called, method)
			foreign := outcomeOf(t, c, other)
			for _, mark := range a.marks() {
				if strings.Contains(foreign, mark) {
					t.Errorf("%s: another organisation received %s", c.name, foreign)
				}
			}
			after := rowsWith(t, s, a.marks())
			for table := range after {
				if !reflect.DeepEqual(after[table], rows[table]) {
					in := func(rows []string) func(string) bool {
						return func(row string) bool { return slices.Contains(rows, row) }
					}
					t.Errorf("%s: another organisation changed %s from\n%s\nto\n%s", c.name, table,
						strings.Join(slices.DeleteFunc(slices.Clone(rows[table]), in(after[table])), "\n"),
						strings.Join(slices.DeleteFunc(slices.Clone(after[table]), in(rows[table])), "\n"))
				}
			}
			if c.foreignOnly {
				continue
			}
			own := outcomeOf(t, c, s)
			if strings.HasPrefix(own, "error") {
				t.Errorf("%s: the organisation itself got %s", c.name, own)
			}
			rows = rowsWith(t, s, a.marks())
			if own == foreign && reflect.DeepEqual(rows, after) {
				t.Errorf("%s: both organisations got %s and nothing changed: the call shows nothing", c.name, own)
			}
		}
		methods := map[string]bool{}
		for m := range reflect.TypeFor[store.Store]().Methods() {
			methods[m.Name] = true
		}
		for _, name := range append(called, wholeDatabase...) {
			if delete(methods, name); !hasMethod(name) {
				t.Errorf("there is no method %s", name)
			}
		}
		if len(methods) > 0 {
			t.Errorf("not called for another organisation: %v: add them to callsAbout", slices.Sorted(maps.Keys(methods)))
		}
	})
}

func hasMethod(name string) bool {
	_, ok := reflect.TypeFor[store.Store]().MethodByName(name)
	return ok
}

// outcomeOf returns the result of a call as text.
func outcomeOf(t *testing.T, c call, s *Store) string {
	t.Helper()
	result, err := c.do(t.Context(), s)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrExists):
		return "error"
	case err != nil:
		if c.refused && s.org != DefaultOrganisation {
			return "error"
		}
		t.Errorf("%s: %v", c.name, err)
		return "error " + err.Error()
	}
	text, err := json.Marshal(result)
	must(t, err)
	return string(text)
}
