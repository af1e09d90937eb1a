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
	PeopleData  DataClass = "people"              // without a council, from the last contact of their computers
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
	RanAt time.Time // the last one that was complete
	// DeletedAt is the last one that deleted something, and Deleted the number of entries; zero if there
	// was none.
	DeletedAt time.Time
	Deleted   int
	// BeginsAt is when the period of the class begins to apply, if it came with a new version of the program to
	// an existing database; zero means always.
	BeginsAt time.Time
}

// PersonMarks is what is stored about a participant for imports and for retention, and no page shows.
type PersonMarks struct {
	Sources             []Hash    // of ids in other systems (ParticipantSource), in the order of their values
	WithoutCouncilSince time.Time // or the last contact; zero for members, and if there are no councils
}

// Retention remembers when old data was deleted.
type Retention interface {
	// RetentionRuns returns the classes that were completed at least once, and those with BeginsAt.
	RetentionRuns(ctx context.Context) ([]RetentionRun, error)
	// AddRetentionRun notes that everything too old in a class was deleted.
	AddRetentionRun(ctx context.Context, class DataClass, at time.Time, deleted int) error
	// NotePeopleWithoutCouncil notes since when people are in no council, or the last contact of their
	// computers if that is later. If there is no council at all, nobody counts.
	NotePeopleWithoutCouncil(ctx context.Context, now time.Time) error
	// PersonMarks returns ErrNotFound if there is no such participant.
	PersonMarks(ctx context.Context, participantID string) (PersonMarks, error)
	// DeletePeopleWithoutCouncil erases people for whom that is before a time. Whoever is in a disturbance
	// record or has an invitation that can still be used stays, and whoever is blocked: an import would add
	// them again without that. Unlike DeleteParticipant it leaves no tombstone of the name, so that an import can add
	// the person again, and it keeps the remarks that contain the last name: they may mean somebody else.
	DeletePeopleWithoutCouncil(ctx context.Context, now, before time.Time, limit int) (deleted int, err error)
}
