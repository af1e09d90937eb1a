package store

import (
	"context"
	"time"
)

// DataClass is a class of data that is deleted when it is old.
type DataClass string

// The classes of data.
const (
	ReportData  DataClass = "reports"             // with their cases; the newest of a participant stays
	SessionData DataClass = "council_sessions"    // from their start
	PeopleData  DataClass = "people"              // without a council, from the last time that they used a computer
	RecordData  DataClass = "disturbance_records" // from the session on
	AuditData   DataClass = "audit_log"
	ErasedData  DataClass = "erased_names" // names and ids of erased people, as keyed hashes
	ExpiredData DataClass = "expired"      // sign-ins, links and codes, each with a lifetime of its own
)

// DataClasses returns all classes.
func DataClasses() []DataClass {
	return []DataClass{ReportData, SessionData, PeopleData, RecordData, AuditData, ErasedData, ExpiredData}
}

// RetentionRun is the last deletion of what was too old in a class.
type RetentionRun struct {
	Class DataClass
	RanAt time.Time // time of the last complete run
	// DeletedAt is the time of the last run that deleted something, and Deleted the number of its entries;
	// zero if there was none.
	DeletedAt time.Time
	Deleted   int
	// BeginsAt is when the period of the class begins to apply, if it came with a new version of the program to
	// an existing database; zero means always.
	BeginsAt time.Time
}

// PersonMarks is what is stored about a participant for imports and for retention, and no page shows.
type PersonMarks struct {
	Sources []Hash // of ids in other systems (ParticipantSource), in the order of their values
	// WithoutCouncilSince is since when the person has been in no council, or when they last set up a computer or
	// made a check with a microphone if that is later; zero for members, and if there are no councils. A computer that
	// reports by itself does not count: its data is needed for nothing, and nobody may know of it any more.
	WithoutCouncilSince time.Time
}

// Retention remembers when old data was deleted.
type Retention interface {
	// RetentionRuns returns the classes that were completed at least once, and those with BeginsAt.
	RetentionRuns(ctx context.Context) ([]RetentionRun, error)
	// AddRetentionRun notes that everything too old in a class was deleted.
	AddRetentionRun(ctx context.Context, class DataClass, at time.Time, deleted int) error
	// NotePeopleWithoutCouncil notes PersonMarks.WithoutCouncilSince of all people. If there is no council at all, nobody counts.
	NotePeopleWithoutCouncil(ctx context.Context, now time.Time) error
	// PersonMarks returns ErrNotFound if there is no such participant.
	PersonMarks(ctx context.Context, participantID string) (PersonMarks, error)
	// DeletePeopleWithoutCouncil erases at most limit people whose PersonMarks.WithoutCouncilSince is before
	// a time. It keeps people who are in a disturbance record, have an invitation that can still be used, or
	// are blocked: an import would add a blocked person again, unblocked. Unlike DeleteParticipant it leaves
	// no tombstone of the name, so that an import can add the person again, and it keeps the remarks that
	// contain the last name: they may mean somebody else. Their computers are refused as erased ones.
	DeletePeopleWithoutCouncil(ctx context.Context, now, before time.Time, limit int) (deleted int, err error)
}
