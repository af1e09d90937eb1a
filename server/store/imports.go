package store

import (
	"context"
	"time"
)

// Import is a set of changes from a table or another system, which are made together or not at
// all.
type Import struct {
	Participants []Participant // new ones
	Codes        []EnrolCode   // of new or known participants
	Councils     []Council     // new ones
	Members      []MemberChange
	Sessions     []SessionImport
	Sources      []ParticipantSource // of new or known participants; for one who is gone, it has no effect
	Audit        []AuditEntry        // about new participants
	// Now decides which sessions are in the future.
	Now time.Time
	// DryRun undoes all changes at the end. The results are those that the import would have.
	DryRun bool
}

// MemberChange adds participants to a council and removes others.
type MemberChange struct {
	CouncilID   string
	Add, Remove []string // ids of participants; adding a member or removing another participant has no effect
}

// SessionImport are the sessions of one source in a council (see Councils.UpsertSessions).
type SessionImport struct {
	CouncilID, Source string
	Sessions          []CouncilSession
	// Former has other identifiers of sessions by their SourceUID: a stored session with one of them
	// is changed and keeps it.
	Former map[string]string
	// KeepMissing means that stored sessions of the source that are not in Sessions remain as they are:
	// the source could not be read completely.
	KeepMissing bool
	// Keep reports whether a missing session with this SourceUID remains as it is; nil means none.
	Keep func(sourceUID string) bool
	// Until is the end of what was read: missing sessions that start later remain as they are.
	// Zero means that there is no end.
	Until time.Time
}

// Imports stores what comes from tables and other systems.
type Imports interface {
	// ApplyImport makes all changes of an import, or none. ErrExists means that a new
	// participant, code or council exists, ErrNotFound that a council or participant is gone.
	// results has one entry for each of Import.Sessions.
	ApplyImport(ctx context.Context, i Import) (results []ImportResult, err error)
}
