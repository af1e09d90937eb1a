// Package roster reads councils, their members and their meetings from other systems:
// council information systems (OParl 1.0 and 1.1), calendars (iCalendar, RFC 5545) and
// tables of people (CSV). It returns plain data and stores nothing.
//
// The input comes from foreign servers and files, so everything is bounded: the size of a
// document, the number of requests, pages, objects and recurrences. An error means that
// nothing may be changed. The notes list what was skipped, and a result that may lack
// something is marked as incomplete, so that the caller removes and cancels nothing
// because of it.
package roster

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // calendars name time zones, and Windows has no such database

	"github.com/tonprobe/tonprobe/server/outbound"
)

// Roster is the content of a source.
type Roster struct {
	Organizations []Organization `json:"organizations"`
	// Meetings are sorted by their start.
	Meetings []Meeting `json:"meetings"`
	// Complete is false if something may be missing: a list that repeated itself, a member who
	// could not be read. The absence of a meeting or a member then says nothing.
	Complete bool `json:"complete"`
	// Unread are the UIDs of the events of a calendar that could not be read: the absence of a
	// meeting with one of these says nothing, even if Complete is true.
	Unread []string `json:"unread,omitempty"`
	// Until is the end of the window that was read.
	Until time.Time `json:"until"`
	// Notes say what was skipped and why, at most 100.
	Notes []string `json:"notes"`
}

// Organization is a council, a committee or a parliamentary group.
type Organization struct {
	ID   string `json:"id"` // URL
	Name string `json:"name"`
	Body string `json:"body"` // name of the municipality
	// Members are the members at the time of the reading.
	Members []Member `json:"members"`
}

// Meeting is a session of one or more organizations.
type Meeting struct {
	// ID remains the same when the source is read again: the URL in OParl; in iCalendar the UID,
	// for a recurrence followed by "/" and its original start.
	ID string `json:"id"`
	// FormerID is the ID that earlier versions gave to a meeting with a long UID; "" for none.
	FormerID string `json:"former_id,omitempty"`
	Name     string `json:"name"`
	// Start and End are in UTC; End is zero if the source does not say.
	Start     time.Time `json:"start"`
	End       time.Time `json:"end,omitzero"`
	Cancelled bool      `json:"cancelled"`
	Location  string    `json:"location,omitempty"`
	// Organizations are the ids of those who meet; empty for iCalendar.
	Organizations []string `json:"organizations,omitempty"`
	// Members are the members of these organizations at the time of the meeting; empty for
	// iCalendar.
	Members []Member `json:"members,omitempty"`
}

// Member is a person in an organization.
type Member struct {
	Person
	// Role is the person's function, such as "Vorsitz"; "" if the source does not say.
	Role string `json:"role,omitempty"`
}

// Person is a person of the source.
type Person struct {
	ID    string `json:"id"` // URL
	Name  string `json:"name"`
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
}

// Window is the time in which meetings must start to be read.
type Window struct{ From, Until time.Time }

func (w Window) contains(t time.Time) bool { return !t.Before(w.From) && t.Before(w.Until) }

// maxNotes limits the notes of a roster.
const maxNotes = 100

// note adds a note. Texts of the source are quoted and shortened by the caller (%.60q).
func (r *Roster) note(format string, args ...any) {
	switch len(r.Notes) {
	case maxNotes:
	case maxNotes - 1:
		r.Notes = append(r.Notes, "Further notes are not listed.")
	default:
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}

// missing adds a note of something that could not be read.
func (r *Roster) missing(format string, args ...any) {
	r.Complete = false
	r.note(format, args...)
}

// Errors that a caller distinguishes.
var (
	// ErrTooLarge means that a source exceeds one of the limits.
	ErrTooLarge = errors.New("too large")
	// ErrForeign means that a source refers to another server than the one that was given.
	ErrForeign = errors.New("refers to another server")
	// ErrPrivate means that a source is in a network that is not public.
	ErrPrivate = outbound.ErrPrivate
	// ErrFormat means that a source is not in the expected format.
	ErrFormat = errors.New("unexpected format")
)
