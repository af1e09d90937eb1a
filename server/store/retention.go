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
	RecordData  DataClass = "disturbance_records" // from the session on
	AuditData   DataClass = "audit_log"
	ErasedData  DataClass = "erased_names" // names and ids of erased people, as keyed hashes
	ExpiredData DataClass = "expired"      // sign-ins, links and codes, each with a lifetime of its own
)

// DataClasses returns all classes.
func DataClasses() []DataClass {
	return []DataClass{ReportData, RecordData, AuditData, ErasedData, ExpiredData}
}

// RetentionRun is the last deletion of what was too old in a class.
type RetentionRun struct {
	Class DataClass
	RanAt time.Time // the last one that was complete
	// DeletedAt is the last one that deleted something, and Deleted the number of entries; zero if there
	// was none.
	DeletedAt time.Time
	Deleted   int
}

// Retention remembers when old data was deleted.
type Retention interface {
	// RetentionRuns returns the classes that were completed at least once.
	RetentionRuns(ctx context.Context) ([]RetentionRun, error)
	// AddRetentionRun notes that everything too old in a class was deleted.
	AddRetentionRun(ctx context.Context, class DataClass, at time.Time, deleted int) error
}
