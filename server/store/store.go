// Package store says what the collector keeps and how it is asked for it.
// Package store/sqlstore keeps it in a SQL database. The rules by which what is
// known of a participant follows from reports stand here, once.
//
// Lists are read by keyset: a page continues after the last row seen, so page
// 4,000 costs what page 1 does, and rows that arrive meanwhile shift nothing.
package store

import (
	"context"
	"errors"
	"time"
)

// What a caller may decide on. Everything else is a fault of the database.
var (
	ErrNotFound   = errors.New("not found")
	ErrExists     = errors.New("exists already")
	ErrBadCursor  = errors.New("cursor does not belong to this list")
	ErrNewerStore = errors.New("the database was written by a newer version of this program")
	// ErrUnavailable says that the database takes nothing at the moment, whatever
	// it is given: a full disk, an I/O error, a lock held too long. The same call
	// may succeed later.
	ErrUnavailable = errors.New("the database takes nothing at the moment")
	// ErrNoSnapshot says that the database has means of its own for a backup.
	ErrNoSnapshot = errors.New("the data is in PostgreSQL, whose own programs make backups: use pg_dump (docs/administrator.md, PostgreSQL)")
)

// Store is the whole of what the collector keeps. Every method may be called
// from several goroutines at once. What a method has returned without an error
// has reached the disk.
type Store interface {
	Participants
	Enrolment
	Reports
	Staff
	Logins

	// Ping says whether the store answers.
	Ping(ctx context.Context) error
	// Backup writes a consistent copy to a file that must not exist yet, while
	// others read and write. It gives ErrNoSnapshot where the database does that.
	Backup(ctx context.Context, path string) error
	// DeleteExpired removes sessions, links and codes that ended before now.
	DeleteExpired(ctx context.Context, now time.Time) error
	Close() error
}

// Participants are the people whose machines are checked.
type Participants interface {
	// AddParticipant gives ErrExists when the id is taken; names may repeat.
	AddParticipant(ctx context.Context, p Participant) error
	// Participant gives ErrNotFound for an unknown id.
	Participant(ctx context.Context, id string) (Participant, error)
	// EditParticipant gives a participant another name and phone number.
	EditParticipant(ctx context.Context, id, name, phone string) error
	// DeleteParticipant removes a participant with their agents, codes and reports.
	DeleteParticipant(ctx context.Context, id string) error
	// SetBlocked shuts a participant's agents out, or lets them in again.
	SetBlocked(ctx context.Context, id string, blocked bool) error
	// ParticipantStates gives one page of the dashboard's list. It reads the
	// latest state only, never the reports.
	ParticipantStates(ctx context.Context, q StateQuery) (StatePage, error)
	// SimilarStates gives those whose name or one of whose case codes is like a search,
	// give or take a letter.
	SimilarStates(ctx context.Context, search string, limit int) ([]ParticipantState, error)
	// ParticipantState gives one row of that list.
	ParticipantState(ctx context.Context, id string) (ParticipantState, error)
	// StateRevision counts the changes of that list.
	StateRevision(ctx context.Context) (int64, error)
	// ChangedStates gives the rows that have changed since a revision, at most limit.
	// That the server has heard of an agent is no change.
	ChangedStates(ctx context.Context, since int64, limit int) (StateChanges, error)
	// CountStates counts the participants; a check counts when it was made since
	// then (see ParticipantState.Fresh).
	CountStates(ctx context.Context, freshSince time.Time) (StateCounts, error)
}

// Enrolment turns one-time codes into agents.
type Enrolment interface {
	AddEnrolCode(ctx context.Context, c EnrolCode) error
	// Enrol uses up the code and keeps the agent, or does neither. ErrNotFound
	// says that the code is unknown, used or expired, or its participant
	// blocked; the four are not told apart. ErrExists says that the agent id
	// belongs to another participant; the code is still good then. An id of
	// the same participant gets the new token, its old one ends.
	Enrol(ctx context.Context, codeHash Hash, a NewAgent, now time.Time) (Participant, error)
	// AgentByToken gives ErrNotFound for an unknown token.
	AgentByToken(ctx context.Context, tokenHash Hash) (Agent, Participant, error)
	Agents(ctx context.Context, participantID string) ([]Agent, error)
	// RevokeAgent ends an agent's token and keeps when (Agent.RevokedAt). The
	// participant and their other agents are not touched, and the agent can be
	// enrolled again by a new code.
	RevokeAgent(ctx context.Context, agentID string, now time.Time) error
	// TouchAgent keeps when the server last heard of an agent.
	TouchAgent(ctx context.Context, agentID string, seen time.Time) error
}

// Reports are the finished checks.
type Reports interface {
	// SaveReports keeps all of them in one transaction, whatever was kept
	// before: a report whose id is there already from the same agent is a
	// duplicate, from another agent it is foreign, and neither changes anything.
	// The results stand in the order of the reports. ErrNotFound says that the
	// agent is unknown.
	SaveReports(ctx context.Context, agentID string, reports []NewReport) ([]SaveResult, error)
	// Report gives ErrNotFound for an unknown id.
	Report(ctx context.Context, id string) (StoredReport, error)
	// ParticipantReports gives one page of a participant's history, newest first.
	ParticipantReports(ctx context.Context, q ReportQuery) (ReportPage, error)
	// CountReports gives how many reports of a participant are kept.
	CountReports(ctx context.Context, participantID string) (int, error)
	// DeleteReports removes at most limit reports that came in before a time, and
	// says how many. What is known of a participant at the moment stays.
	DeleteReports(ctx context.Context, before time.Time, limit int) (deleted int, err error)
	// CaseReports gives the newest reports with a case code. Codes are drawn by
	// the agents, so two participants can hold the same one.
	CaseReports(ctx context.Context, caseCode string, limit int) ([]ReportSummary, error)
}

// Staff are the people who look at the dashboard.
type Staff interface {
	// AddStaff gives ErrExists when the name is taken.
	AddStaff(ctx context.Context, m StaffMember) error
	StaffMember(ctx context.Context, name string) (StaffMember, error)
	StaffMembers(ctx context.Context) ([]StaffMember, error)
	// SetStaffPassword also ends the member's sessions.
	SetStaffPassword(ctx context.Context, name, passwordHash string) error
}

// Logins are the sessions of staff, and the links that begin one.
type Logins interface {
	AddSession(ctx context.Context, s Session) error
	// AddDevice remembers a browser that has signed in.
	AddDevice(ctx context.Context, d Device) error
	// Device gives ErrNotFound for an unknown token; expiry is for the caller.
	Device(ctx context.Context, tokenHash Hash) (Device, error)
	// Session gives ErrNotFound for an unknown token; expiry is for the caller.
	Session(ctx context.Context, tokenHash Hash) (Session, error)
	DeleteSession(ctx context.Context, tokenHash Hash) error
	AddOneTimeLogin(ctx context.Context, l OneTimeLogin) error
	// UseOneTimeLogin gives the name of the member whom the link signs in, once;
	// ErrNotFound says that it is unknown, used or expired.
	UseOneTimeLogin(ctx context.Context, tokenHash Hash, now time.Time) (staffName string, err error)
}
