package sqlstore

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/store"
)

func accountCalls(a town) []call {
	return []call{
		does("AddStaff", func(ctx context.Context, s *Store) error {
			return s.AddStaff(ctx, store.StaffMember{Name: "auditor", Role: store.RoleAuditor})
		}),
		gets("StaffMember", func(ctx context.Context, s *Store) (store.StaffMember, error) { return s.StaffMember(ctx, "support") }),
		gets("StaffMembers", func(ctx context.Context, s *Store) ([]store.StaffMember, error) { return s.StaffMembers(ctx) }),
		does("SetStaffRole", func(ctx context.Context, s *Store) error {
			return s.SetStaffRole(ctx, "support", store.RoleLead, nil)
		}),
		gets("BindStaff", func(ctx context.Context, s *Store) (store.StaffMember, error) {
			return s.BindStaff(ctx, "auditor", "issuer", "subject of "+s.org)
		}),
		gets("StaffBySubject", func(ctx context.Context, s *Store) (store.StaffMember, error) {
			return s.StaffBySubject(ctx, "issuer", "subject of "+DefaultOrganisation)
		}),
		does("SetNextSecret", func(ctx context.Context, s *Store) error { return s.SetNextSecret(ctx, "support", "next") }),
		does("ConfirmSecret", func(ctx context.Context, s *Store) error {
			codes := []store.Hash{store.HashOf("recovery of " + s.org)}
			if s.org == DefaultOrganisation { // so that the numbers differ
				codes = append(codes, store.HashOf("second recovery"))
			}
			return s.ConfirmSecret(ctx, "support", "next", codes, evening, evening)
		}),
		gets("CountRecoveryCodes", func(ctx context.Context, s *Store) (int, error) { return s.CountRecoveryCodes(ctx, "support") }),
		does("UseRecoveryCode", func(ctx context.Context, s *Store) error {
			return s.UseRecoveryCode(ctx, "support", store.HashOf("recovery of "+DefaultOrganisation))
		}),
		does("AddUsedCode", func(ctx context.Context, s *Store) error {
			return s.AddUsedCode(ctx, store.UsedCode{Hash: store.HashOf("used at " + s.org), StaffName: "support", ExpiresAt: evening})
		}),
		does("AddGuess", func(ctx context.Context, s *Store) error {
			return s.AddGuess(ctx, []store.Guess{{Bucket: "bucket", Cost: time.Duration(len(s.org)) * time.Minute, Full: 24 * time.Hour}}, evening)
		}),
		gets("GuessesUntil", func(ctx context.Context, s *Store) (map[string]time.Time, error) {
			return s.GuessesUntil(ctx, []string{"bucket"})
		}),
		does("ForgetGuesses", func(ctx context.Context, s *Store) error { return s.ForgetGuesses(ctx, []string{"bucket"}) }),
		does("AddAuditEntry", func(ctx context.Context, s *Store) error {
			return s.AddAuditEntry(ctx, store.AuditEntry{ID: uuid.NewString(), At: evening, StaffName: "support", Kind: store.AuditSignedIn})
		}),
		gets("AuditEntries", func(ctx context.Context, s *Store) (store.AuditPage, error) {
			return s.AuditEntries(ctx, store.AuditQuery{})
		}),
		gets("AuditEntries of a member", func(ctx context.Context, s *Store) (store.AuditPage, error) {
			return s.AuditEntries(ctx, store.AuditQuery{StaffName: "support", Kind: store.AuditSignedIn, From: evening, To: evening.Add(time.Hour)})
		}),
		does("AddAPIToken", func(ctx context.Context, s *Store) error {
			return s.AddAPIToken(ctx, store.APIToken{ID: uuid.NewString(), Name: "Gamma", Hash: store.HashOf(s.org), Scopes: store.Scopes(), CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)})
		}),
		gets("APIToken", func(ctx context.Context, s *Store) (store.APIToken, error) { return s.APIToken(ctx, a.token) }),
		gets("APITokens", func(ctx context.Context, s *Store) ([]store.APIToken, error) { return s.APITokens(ctx) }),
		does("UseAPIToken", func(ctx context.Context, s *Store) error { return s.UseAPIToken(ctx, a.program, evening) }),
	}
}

// loginCalls are those about what signs a member in. The member has the same name in the other
// organisation, and another password.
func loginCalls(a town) []call {
	session := func(secret string) store.Session {
		return store.Session{TokenHash: store.HashOf(secret), StaffName: "support", PasswordHash: a.tag, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}
	}
	invitation := func(secret string) store.StaffInvitation {
		return store.StaffInvitation{TokenHash: store.HashOf(secret), StaffName: "support", ExpiresAt: evening.Add(time.Hour)}
	}
	return []call{
		does("AddSession", func(ctx context.Context, s *Store) error { return s.AddSession(ctx, session("a")) }),
		gets("Session", func(ctx context.Context, s *Store) (store.Session, error) { return s.Session(ctx, a.token) }),
		gets("StaffSessions", func(ctx context.Context, s *Store) ([]store.Session, error) {
			return s.StaffSessions(ctx, "support", evening)
		}),
		does("AddDevice", func(ctx context.Context, s *Store) error {
			return s.AddDevice(ctx, store.Device{TokenHash: store.HashOf("a"), StaffName: "support", PasswordHash: a.tag, ExpiresAt: evening.Add(time.Hour)})
		}),
		gets("Device", func(ctx context.Context, s *Store) (store.Device, error) { return s.Device(ctx, a.token) }),
		does("AddLoginChallenge", func(ctx context.Context, s *Store) error {
			return s.AddLoginChallenge(ctx, store.LoginChallenge{TokenHash: store.HashOf("a"), StaffName: "support", PasswordHash: a.tag, ExpiresAt: evening.Add(time.Hour)})
		}),
		gets("LoginChallenge", func(ctx context.Context, s *Store) (store.LoginChallenge, error) {
			return s.LoginChallenge(ctx, a.token, evening)
		}),
		does("UseLoginChallenge", func(ctx context.Context, s *Store) error { return s.UseLoginChallenge(ctx, a.token) }),
		does("AddOneTimeLogin", func(ctx context.Context, s *Store) error {
			return s.AddOneTimeLogin(ctx, store.OneTimeLogin{TokenHash: store.HashOf("a"), StaffName: "lead", ExpiresAt: evening.Add(time.Hour)})
		}).mayBeRefused(), // it has no such member
		gets("UseOneTimeLogin", func(ctx context.Context, s *Store) (store.StaffMember, error) {
			return s.UseOneTimeLogin(ctx, a.token, evening)
		}),
		gets("StaffInvitation", func(ctx context.Context, s *Store) (store.StaffMember, error) {
			return s.StaffInvitation(ctx, a.token, evening)
		}),
		gets("AcceptStaffInvitation", func(ctx context.Context, s *Store) (store.StaffMember, error) {
			return s.AcceptStaffInvitation(ctx, a.token, a.tag, evening)
		}),
		does("AddStaffInvitation", func(ctx context.Context, s *Store) error { return s.AddStaffInvitation(ctx, invitation("of "+s.org)) }),
		does("AddSession for the next calls", func(ctx context.Context, s *Store) error { return s.AddSession(ctx, session("b")) }),
		does("EndStaffSession", func(ctx context.Context, s *Store) error { return s.EndStaffSession(ctx, "support", store.HashOf("b")) }),
		does("AddSession for the next calls", func(ctx context.Context, s *Store) error { return s.AddSession(ctx, session("b")) }),
		does("EndStaffSessions", func(ctx context.Context, s *Store) error { return s.EndStaffSessions(ctx, "support", store.Hash{}) }),
		does("AddSession for the next calls", func(ctx context.Context, s *Store) error { return s.AddSession(ctx, session("b")) }),
		does("DeleteSession", func(ctx context.Context, s *Store) error { return s.DeleteSession(ctx, store.HashOf("b")) }),
		does("DisableStaff", func(ctx context.Context, s *Store) error {
			return s.DisableStaff(ctx, "support", evening, nil)
		}),
		does("EnableStaff", func(ctx context.Context, s *Store) error { return s.EnableStaff(ctx, "support") }),
		does("AddSession for the next calls", func(ctx context.Context, s *Store) error { return s.AddSession(ctx, session("b")) }),
		does("SetStaffPassword", func(ctx context.Context, s *Store) error { return s.SetStaffPassword(ctx, "support", "x") }),
		does("ReplaceStaffPassword", func(ctx context.Context, s *Store) error { return s.ReplaceStaffPassword(ctx, "support", "x", "y") }),
		does("RemoveSecret", func(ctx context.Context, s *Store) error { return s.RemoveSecret(ctx, "support") }),
		does("ResetStaff", func(ctx context.Context, s *Store) error { return s.ResetStaff(ctx, "support") }),
	}
}

// removals remove what an organisation has.
func removals(a town) []call {
	later := evening.AddDate(1, 0, 0)
	key := []byte("a key of tombstones")
	alone := store.TombstoneList{Keys: [][]byte{key}, Hashes: []store.Hash{store.TombstoneOf(key, store.TombstoneParticipant, a.alone)}}
	return []call{
		does("DisableStaff for the next call", func(ctx context.Context, s *Store) error {
			return s.DisableStaff(ctx, "support", evening, nil)
		}),
		does("DeleteStaff", func(ctx context.Context, s *Store) error { return s.DeleteStaff(ctx, "support", nil) }),
		does("RemoveAPIToken", func(ctx context.Context, s *Store) error { return s.RemoveAPIToken(ctx, a.program) }),
		does("RevokeAgent", func(ctx context.Context, s *Store) error { return s.RevokeAgent(ctx, a.agent, evening) }),
		does("RemoveCouncilSession", func(ctx context.Context, s *Store) error { return s.RemoveCouncilSession(ctx, a.session) }),
		does("RemoveCouncilMember", func(ctx context.Context, s *Store) error { return s.RemoveCouncilMember(ctx, a.council, a.alone) }),
		does("RemoveCouncil", func(ctx context.Context, s *Store) error { return s.RemoveCouncil(ctx, a.council) }),
		gets("DeleteDisturbanceRecords", func(ctx context.Context, s *Store) (int, error) { return s.DeleteDisturbanceRecords(ctx, later, 9) }),
		gets("DeleteAuditEntries", func(ctx context.Context, s *Store) (int, error) { return s.DeleteAuditEntries(ctx, later, 9) }),
		gets("DeleteExpired", func(ctx context.Context, s *Store) (int, error) { return s.DeleteExpired(ctx, later) }),
		gets("RetentionRuns", func(ctx context.Context, s *Store) ([]store.RetentionRun, error) { return s.RetentionRuns(ctx) }),
		does("AddRetentionRun", func(ctx context.Context, s *Store) error { return s.AddRetentionRun(ctx, store.AuditData, later, 3) }),
		gets("DeleteReports", func(ctx context.Context, s *Store) (int, error) { return s.DeleteReports(ctx, later, 9) }),
		gets("PersonMarks", func(ctx context.Context, s *Store) (store.PersonMarks, error) {
			return s.PersonMarks(ctx, a.participant)
		}),
		does("DeleteParticipant", func(ctx context.Context, s *Store) error { return s.DeleteParticipant(ctx, a.participant, evening) }),
		gets("ErasedPerson", func(ctx context.Context, s *Store) (time.Time, error) {
			return s.ErasedPerson(ctx, "nobody", "source of "+a.tag)
		}),
		gets("ErasedToken", func(ctx context.Context, s *Store) (bool, error) { return s.ErasedToken(ctx, a.code) }),
		gets("Tombstones", func(ctx context.Context, s *Store) (store.TombstoneList, error) { return s.Tombstones(ctx) }),
		does("NotePeopleWithoutCouncil", func(ctx context.Context, s *Store) error { return s.NotePeopleWithoutCouncil(ctx, later) }),
		gets("DeletePeopleWithoutCouncil", func(ctx context.Context, s *Store) (int, error) {
			return s.DeletePeopleWithoutCouncil(ctx, later, evening.AddDate(10, 0, 0), 9)
		}),
		gets("DeleteCouncilSessions", func(ctx context.Context, s *Store) (int, error) {
			return s.DeleteCouncilSessions(ctx, evening.AddDate(10, 0, 0), 9)
		}),
		gets("DeleteErasedNames", func(ctx context.Context, s *Store) (int, error) {
			return s.DeleteErasedNames(ctx, evening.AddDate(10, 0, 0), 9)
		}),
		gets("AddTombstones", func(ctx context.Context, s *Store) (int, error) { return s.AddTombstones(ctx, alone, evening) }),
	}
}
