// Package store defines what the collector stores, and how it is requested. Package
// store/sqlstore stores it in a SQL database. The rules that derive the state of a
// participant from reports are in this package.
//
// Lists are read by keyset: a page continues after the last row of the previous one, so
// page 4,000 costs as much as page 1, and rows that arrive in the meantime shift
// nothing.
package store

import (
	"context"
	"errors"
	"time"
)

// Errors that a caller decides on. Any other error is a fault of the database.
var (
	ErrNotFound  = errors.New("not found")
	ErrExists    = errors.New("already exists")
	ErrBadCursor = errors.New("cursor does not belong to this list")
	// ErrLastAdministrator means that no other administrator could sign in after a change.
	ErrLastAdministrator = errors.New("nobody else with the role administrator can sign in: first give another account that role")
	ErrNewerStore        = errors.New("the database was written by a newer version of this program")
	// ErrUnavailable means that the database cannot store anything at the moment,
	// because of a full disk, an I/O error, or a lock that was held too long. The same
	// call may succeed later.
	ErrUnavailable = errors.New("the database is unavailable at the moment")
	// ErrNoSnapshot means that the database's own programs for backups are missing.
	ErrNoSnapshot = errors.New("the data is in PostgreSQL, whose programs pg_dump and pg_restore are needed: install them (Debian: postgresql-client), or use them on the machine of the database (docs/administrator.md, PostgreSQL)")
)

// Store contains all data of the collector. Its methods are safe for concurrent use. A
// change whose method returned no error is on disk.
type Store interface {
	Participants
	Enrolment
	Councils
	Tokens
	OwnPages
	APITokens
	Imports
	Reports
	Cases
	Disturbances
	Staff
	Logins
	SecondFactors
	Guesses
	Audit
	Tombstones
	Retention

	// Ping reports whether the store responds.
	Ping(ctx context.Context) error
	// Backup writes a consistent copy to a new file, while others read and write: a database of
	// SQLite, or a dump of PostgreSQL. It returns ErrNoSnapshot if a program for that is missing.
	Backup(ctx context.Context, path string) error
	// DeleteExpired removes sessions, links and codes that expired before now, and returns their number.
	DeleteExpired(ctx context.Context, now time.Time) (deleted int, err error)
	Close() error
}

// Participants stores the people whose machines are checked.
type Participants interface {
	// AddParticipant returns ErrExists if the id exists; names may repeat.
	AddParticipant(ctx context.Context, p Participant) error
	// Participant returns ErrNotFound for an unknown id.
	Participant(ctx context.Context, id string) (Participant, error)
	// EditParticipant changes a participant's name and phone number.
	EditParticipant(ctx context.Context, id, name, phone string) error
	// DeleteParticipant erases a participant, now: agents, codes, reports, cases, memberships, and what
	// disturbance records say about them. Tombstones prevent any of it from coming back. The audit
	// log keeps its entries, with a Pseudonym instead of the id. CountCauses still counts the closed
	// cases.
	DeleteParticipant(ctx context.Context, id string, now time.Time) error
	// SetBlocked blocks or unblocks a participant's agents.
	SetBlocked(ctx context.Context, id string, blocked bool) error
	// ParticipantStates returns one page of the dashboard's list. It reads the latest
	// states only, never the reports.
	ParticipantStates(ctx context.Context, q StateQuery) (StatePage, error)
	// SimilarStates returns the participants whose name or latest case code resembles a
	// search with up to one wrong letter.
	SimilarStates(ctx context.Context, search string, limit int) ([]ParticipantState, error)
	// NamesMatch reports whether a search can mean a participant by name, also with a wrong
	// letter: some names read as a case code. A single letter in the search matches the beginning of
	// a name, with no wrong letter.
	NamesMatch(ctx context.Context, search string) (bool, error)
	// ParticipantState returns one row of that list.
	ParticipantState(ctx context.Context, id string) (ParticipantState, error)
	// StateRevision counts the changes of that list.
	StateRevision(ctx context.Context) (int64, error)
	// ChangedStates returns the rows that have changed since a revision, at most limit.
	// A contact with an agent is not a change.
	ChangedStates(ctx context.Context, since int64, limit int) (StateChanges, error)
	// CountStates counts the participants; a check counts if it was made since then
	// (see ParticipantState.Fresh).
	CountStates(ctx context.Context, freshSince time.Time) (StateCounts, error)
}

// LostAnswer is how long an agent that has not received the answer to its enrolment may repeat
// the request.
const LostAnswer = 15 * time.Minute

// Enrolment turns one-time codes into agents.
type Enrolment interface {
	AddEnrolCode(ctx context.Context, c EnrolCode) error
	// Enrol redeems the code and stores the agent, or does neither. ErrNotFound means
	// that the code is unknown, used or expired, or its participant blocked; the four
	// are indistinguishable. ErrExists means that the agent id belongs to another
	// participant; the code remains valid. An id of the same participant gets the new
	// token, and its old ones become invalid. For LostAnswer after its use, the code is
	// valid for the same agent again, unless that has used its token.
	Enrol(ctx context.Context, codeHash Hash, a NewAgent, now time.Time) (Participant, error)
	// AgentByToken returns ErrNotFound for an unknown token.
	AgentByToken(ctx context.Context, tokenHash Hash) (Agent, Participant, error)
	Agents(ctx context.Context, participantID string) ([]Agent, error)
	// RevokeAgent revokes an agent's tokens and stores the time (Agent.RevokedAt). The
	// participant and their other agents are not affected, and the agent can be
	// enrolled again with a new code.
	RevokeAgent(ctx context.Context, agentID string, now time.Time) error
	// TouchAgent stores the time of the last contact with an agent.
	TouchAgent(ctx context.Context, agentID string, seen time.Time) error
}

// Tokens replaces the tokens of agents. An agent has one current token (AgentByToken) and, while
// it is being replaced, the next one. Both are valid until the next one is used.
type Tokens interface {
	// AddToken stores the next token of an agent instead of one that was never used. ErrNotFound
	// means that current is not the agent's token.
	AddToken(ctx context.Context, agentID string, current, next Hash) error
	// UseToken makes the next token the current one, and the current one a former one.
	// ErrNotFound means that it is not the agent's next token, or no longer is.
	UseToken(ctx context.Context, agentID string, next Hash, now time.Time) error
	// AgentByOtherToken returns the agent of a next token, or of a former one. Former ones are
	// known for about a year. ErrNotFound means that it is neither.
	AgentByOtherToken(ctx context.Context, tokenHash Hash) (OtherToken, error)
	// AskForRenewal stores that the agent is to replace its token (Agent.RenewalAskedAt).
	// ErrNotFound means that it is unknown or revoked.
	AskForRenewal(ctx context.Context, agentID string, now time.Time) error
}

// Reports are the finished checks.
type Reports interface {
	// SaveReports stores all reports in one transaction, whatever was stored before: a
	// report whose id exists already from the same agent is a duplicate, from another
	// agent it is foreign, and neither changes anything. The results are in the order
	// of the reports. ErrNotFound means that the agent is unknown.
	SaveReports(ctx context.Context, agentID string, reports []NewReport) ([]SaveResult, error)
	// Report returns ErrNotFound for an unknown id.
	Report(ctx context.Context, id string) (StoredReport, error)
	// ParticipantReports returns one page of a participant's history, newest first.
	ParticipantReports(ctx context.Context, q ReportQuery) (ReportPage, error)
	// LastGoodReport returns a participant's newest report before a time that found no problem
	// and omitted nothing (IsGood), at most GoodFor before it; ErrNotFound if there is none.
	LastGoodReport(ctx context.Context, participantID string, before time.Time) (StoredReport, error)
	// ReportsBetween calls each with a participant's reports of checks from a time on and
	// before another, at most limit, newest first. The Document of one that cannot be read is
	// nil. each must not use the store.
	ReportsBetween(ctx context.Context, participantID string, from, to time.Time, limit int, each func(StoredReport)) error
	// FirstReportsBetween is ReportsBetween with the oldest first.
	FirstReportsBetween(ctx context.Context, participantID string, from, to time.Time, limit int, each func(StoredReport)) error
	// CountReports returns the number of stored reports of a participant.
	CountReports(ctx context.Context, participantID string) (int, error)
	// ReceivedReports calls each with the newest reports that were received since a time,
	// at most limit, newest first. The Document of one that cannot be read is nil. each
	// must not use the store.
	ReceivedReports(ctx context.Context, since time.Time, limit int, each func(StoredReport)) error
	// DeleteReports removes at most limit reports that were received before a time, and
	// returns their number. The present state of a participant is not affected, nor the
	// counts of CountCauses.
	DeleteReports(ctx context.Context, before time.Time, limit int) (deleted int, err error)
	// CaseReports returns the newest reports with a case code. Agents generate the
	// codes at random, so two participants can have the same one.
	CaseReports(ctx context.Context, caseCode string, limit int) ([]ReportSummary, error)
}

// Cases stores what staff do about reports (Case.With).
type Cases interface {
	// Case returns the case of a report; ErrNotFound means that there is no such report.
	Case(ctx context.Context, reportID string) (Case, error)
	// AddCaseEntry adds an entry to the case of a report and returns the case. Of two that
	// contradict each other, the second fails. Its errors include those of Case.With.
	AddCaseEntry(ctx context.Context, reportID string, e CaseEntry) (Case, error)
	// ParticipantCases returns the cases of a participant that have entries, without these,
	// the last changed first.
	ParticipantCases(ctx context.Context, participantID string, limit int) ([]Case, error)
	// Desk returns the list of open, taken and closed cases.
	Desk(ctx context.Context, q DeskQuery) (Desk, error)
	// CountCauses counts the closed cases since a time, also those whose reports are gone.
	CountCauses(ctx context.Context, since time.Time) ([]CauseCount, error)
}

// Staff stores the users of the dashboard.
type Staff interface {
	// AddStaff returns ErrExists if the name exists.
	AddStaff(ctx context.Context, m StaffMember) error
	StaffMember(ctx context.Context, name string) (StaffMember, error)
	// StaffBySubject returns the member with an account at a provider, or ErrNotFound.
	StaffBySubject(ctx context.Context, issuer, subject string) (StaffMember, error)
	// BindStaff gives an invited member an account at a provider, and ends their invitations.
	// ErrNotFound means that the member is not invited: there is none, or a password, another
	// account at a provider, or the account is disabled.
	BindStaff(ctx context.Context, name, issuer, subject string) (StaffMember, error)
	StaffMembers(ctx context.Context) ([]StaffMember, error)
	// SetStaffPassword also ends the member's sessions, and their links and invitations.
	SetStaffPassword(ctx context.Context, name, passwordHash string) error
	// ReplaceStaffPassword is SetStaffPassword for a member who knows the present one, whose hash
	// is old. ErrNotFound means that it is no longer theirs, or that the account is disabled.
	ReplaceStaffPassword(ctx context.Context, name, old, passwordHash string) error
	// SetStaffRole returns ErrLastAdministrator if the member is an administrator who becomes something else,
	// and no other active administrator can sign in; not if canSignIn is nil.
	SetStaffRole(ctx context.Context, name string, role Role, canSignIn CanSignIn) error
	// DisableStaff ends the member's sessions, links and invitations. Until EnableStaff, the
	// member has no session. ErrLastAdministrator as with SetStaffRole.
	DisableStaff(ctx context.Context, name string, now time.Time, canSignIn CanSignIn) error
	EnableStaff(ctx context.Context, name string) error
	// DeleteStaff removes a disabled account with everything that belongs to it. The name stays where
	// the member has acted (audit log, cases, disturbance records), until these are deleted. ErrNotFound means
	// that there is no such member, or that the account is not disabled. ErrLastAdministrator as with
	// SetStaffRole: enabling the account again would be the way back.
	DeleteStaff(ctx context.Context, name string, canSignIn CanSignIn) error
	// ResetStaff removes everything by which the member can sign in: the password, the second
	// factor, the account at a provider, sessions, known browsers, links and invitations.
	ResetStaff(ctx context.Context, name string) error
	// AddStaffInvitation replaces an earlier invitation of the member. ErrNotFound means that
	// there is no such member, or that the account is disabled.
	AddStaffInvitation(ctx context.Context, i StaffInvitation) error
	// StaffInvitation returns the member whom an invitation is for; ErrNotFound means that it is
	// unknown, used, replaced or expired, or the account disabled.
	StaffInvitation(ctx context.Context, tokenHash Hash, now time.Time) (StaffMember, error)
	// AcceptStaffInvitation uses up an invitation and sets the password, or does neither. Its
	// errors are those of StaffInvitation.
	AcceptStaffInvitation(ctx context.Context, tokenHash Hash, passwordHash string, now time.Time) (StaffMember, error)
}

// Logins stores the sessions of staff, and the links that start one.
type Logins interface {
	// AddSession returns ErrNotFound if s.PasswordHash or s.Subject is no longer that of the member, or if the
	// account is disabled: a login must not outlive what ended the others while it began.
	AddSession(ctx context.Context, s Session) error
	// AddDevice stores a browser that has signed in. Its errors are those of AddSession.
	AddDevice(ctx context.Context, d Device) error
	// Device returns ErrNotFound for an unknown token; the caller checks the expiry.
	Device(ctx context.Context, tokenHash Hash) (Device, error)
	// Session returns ErrNotFound for an unknown token and for a disabled account; the caller
	// checks the expiry.
	Session(ctx context.Context, tokenHash Hash) (Session, error)
	DeleteSession(ctx context.Context, tokenHash Hash) error
	// StaffSessions returns the sessions of a member that end after now, the newest first.
	StaffSessions(ctx context.Context, staffName string, now time.Time) ([]Session, error)
	// EndStaffSession ends a session of this member; ErrNotFound means that it has none with
	// this hash.
	EndStaffSession(ctx context.Context, staffName string, tokenHash Hash) error
	// EndStaffSessions ends all sessions of a member but one; the zero hash ends all.
	EndStaffSessions(ctx context.Context, staffName string, except Hash) error
	AddOneTimeLogin(ctx context.Context, l OneTimeLogin) error
	// UseOneTimeLogin returns the member whom the link signs in, once;
	// ErrNotFound means that it is unknown, used or expired.
	UseOneTimeLogin(ctx context.Context, tokenHash Hash, now time.Time) (StaffMember, error)
}

// SecondFactors stores the secrets of second factors and what becomes of their codes.
type SecondFactors interface {
	// SetNextSecret stores a secret that is being set up, instead of an earlier one.
	SetNextSecret(ctx context.Context, name, sealed string) error
	// ConfirmSecret makes it the member's secret, and replaces the recovery codes. ErrNotFound
	// means that sealed is not the secret that is being set up.
	ConfirmSecret(ctx context.Context, name, sealed string, recovery []Hash, now, expires time.Time) error
	// RemoveSecret removes the secrets and the recovery codes.
	RemoveSecret(ctx context.Context, name string) error
	// AddUsedCode returns ErrExists if the code was used before.
	AddUsedCode(ctx context.Context, c UsedCode) error
	// UseRecoveryCode deletes a recovery code; ErrNotFound means that the member has none with
	// this hash.
	UseRecoveryCode(ctx context.Context, name string, code Hash) error
	CountRecoveryCodes(ctx context.Context, name string) (int, error)
	// AddLoginChallenge has the errors of AddSession.
	AddLoginChallenge(ctx context.Context, c LoginChallenge) error
	// LoginChallenge returns ErrNotFound if it is unknown, used or expired.
	LoginChallenge(ctx context.Context, tokenHash Hash, now time.Time) (LoginChallenge, error)
	// UseLoginChallenge deletes it, or returns ErrNotFound.
	UseLoginChallenge(ctx context.Context, tokenHash Hash) error
}
