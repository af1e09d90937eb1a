package wire

import "time"

// PathDisturbances is the path to which an agent reports that its participant has a disturbance
// in a session, relative to the address of the collector.
const PathDisturbances = "api/v1/disturbances"

// Limits of a report of a disturbance and of its response.
const (
	MaxDisturbanceBytes         = 1 << 10
	MaxDisturbanceResponseBytes = 4 << 10
)

// Codes of errors of a report of a disturbance.
const (
	// CodeNoSession means that no session of the participant is in progress.
	CodeNoSession = "no_session"
	// CodeRecordClosed means that the record of the session is complete.
	CodeRecordClosed = "record_closed"
)

// DisturbanceRequest reports a disturbance of the agent's participant that begins now. The same id
// again has no effect.
type DisturbanceRequest struct {
	ID string `json:"id"` // random UUID
}

// DisturbanceResponse says what the record contains.
type DisturbanceResponse struct {
	At     time.Time `json:"at"`     // when it was reported first, by the collector's clock
	Number int       `json:"number"` // of the entry
}
