package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Limits of councils. Calls beyond them fail as a whole, with an *InputError.
const (
	MaxCouncilMembers = 1000 // members of one council
	MaxImportSessions = 2000 // sessions of one import
	MaxSessionLength  = wire.MaxSessionLength
	maxNameRunes      = 200 // of a name, title or place
	maxUIDBytes       = 500 // of a source or its uid
)

// AssumedSessionLength is the length of a session whose end is not known.
const AssumedSessionLength = wire.AssumedSessionLength

// InputError is a value that cannot be stored. Problem is one sentence for the person
// who entered it.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return e.Problem }

func inputf(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

// Council is a group of participants who hold sessions, such as a council or a
// committee. Its name is unique in the organisation.
type Council struct {
	ID        string // random UUID
	Name      string
	CreatedAt time.Time
}

// Check returns an *InputError if c cannot be stored.
func (c Council) Check() error { return checkLine("the name of a council", c.Name, true) }

// CouncilSession is one session of a council. Times are instants; the zone of those who
// read them is a setting of the collector.
type CouncilSession struct {
	ID        string // random UUID
	CouncilID string
	Title     string // may be ""
	StartsAt  time.Time
	EndsAt    time.Time // zero if not known
	Target    string    // name of the conference system; "" for the default
	Profile   string    // name of the limits; "" for the default
	Place     string
	Cancelled bool
	// CancelledByStaff means that staff cancelled the session, which no import undoes.
	CancelledByStaff bool
	// Source names the import that the session comes from, and SourceUID the session in
	// it. Source is "" for a session that was entered by hand.
	Source, SourceUID string
}

// Closes returns when the session is over: at its end, or after AssumedSessionLength if
// that is not known.
func (s CouncilSession) Closes() time.Time {
	if s.EndsAt.IsZero() {
		return s.StartsAt.Add(AssumedSessionLength)
	}
	return s.EndsAt
}

// Check returns an *InputError if s cannot be stored.
func (s CouncilSession) Check() error {
	switch {
	case s.StartsAt.IsZero() || s.StartsAt.Year() < 2000 || s.StartsAt.Year() > 2200:
		return inputf("a session needs a start between the years 2000 and 2200")
	case !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt):
		return inputf("the session ends before it starts")
	case !s.EndsAt.IsZero() && s.EndsAt.Sub(s.StartsAt) > MaxSessionLength:
		return inputf("a session takes at most %d hours", MaxSessionLength/time.Hour)
	case s.Target != "" && !wire.IsTargetName(s.Target):
		return inputf("%.60q is not the name of a conference system", s.Target)
	case len(s.Source) > maxUIDBytes || len(s.SourceUID) > maxUIDBytes:
		return inputf("the source of a session has at most %d bytes", maxUIDBytes)
	}
	return errors.Join(checkLine("the title of a session", s.Title, false), checkLine("the place of a session", s.Place, false),
		checkLine("the profile", s.Profile, false))
}

func checkLine(what, text string, needed bool) error {
	switch {
	case needed && text == "":
		return inputf("%s is missing", what)
	case !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxNameRunes:
		return inputf("%s has at most %d letters", what, maxNameRunes)
	}
	for _, r := range text {
		if unicode.IsControl(r) {
			return inputf("%s is one line without control characters", what)
		}
	}
	return nil
}

// CouncilPage is a page of the list of councils, in the order of their names.
type CouncilPage struct {
	Councils []Council
	Next     string // "" on the last page
}

// SessionQuery requests a page of sessions, in the order of their starts.
type SessionQuery struct {
	CouncilID string    // "" for all councils
	From      time.Time // those that are not over at this time
	After     string
	Limit     int
}

// SessionPage is a page of sessions.
type SessionPage struct {
	Sessions []CouncilSession
	Next     string // "" on the last page
}

// ImportResult counts what an import changed.
type ImportResult struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Cancelled int `json:"cancelled"`
	Unchanged int `json:"unchanged"`
}

// Plus returns the sum of two results.
func (r ImportResult) Plus(o ImportResult) ImportResult {
	return ImportResult{r.Added + o.Added, r.Changed + o.Changed, r.Cancelled + o.Cancelled, r.Unchanged + o.Unchanged}
}

// Councils stores councils, their members and their sessions.
type Councils interface {
	// AddCouncil returns ErrExists if the id or the name exists.
	AddCouncil(ctx context.Context, c Council) error
	Council(ctx context.Context, id string) (Council, error)
	CouncilNamed(ctx context.Context, name string) (Council, error)
	// CouncilOfSource returns the council with sessions of an import, or ErrNotFound. Of
	// several it returns one.
	CouncilOfSource(ctx context.Context, source string) (Council, error)
	CouncilPage(ctx context.Context, after string, limit int) (CouncilPage, error)
	// RenameCouncil returns ErrExists if another council has the name.
	RenameCouncil(ctx context.Context, id, name string) error
	// RemoveCouncil removes a council with its sessions. Its members remain participants.
	RemoveCouncil(ctx context.Context, id string) error

	// AddCouncilMember has no effect if the participant is a member already.
	AddCouncilMember(ctx context.Context, councilID, participantID string) error
	// RemoveCouncilMember returns ErrNotFound if the participant is not a member.
	RemoveCouncilMember(ctx context.Context, councilID, participantID string) error
	// SetCouncilMembers replaces all members, or changes nothing.
	SetCouncilMembers(ctx context.Context, councilID string, participantIDs []string) error
	// CouncilMembers returns the latest states of all members, unsorted. The revision
	// was read first: what changed since is in ChangedStates of that revision.
	CouncilMembers(ctx context.Context, councilID string) (members []ParticipantState, revision int64, err error)
	// CouncilMemberIDs returns the ids of all members, unsorted; none if there is no such council.
	CouncilMemberIDs(ctx context.Context, councilID string) ([]string, error)
	// CouncilsOf returns the councils of a participant, by name.
	CouncilsOf(ctx context.Context, participantID string) ([]Council, error)

	// AddCouncilSession adds a session to the council CouncilID; ErrNotFound means that there is
	// none.
	AddCouncilSession(ctx context.Context, s CouncilSession) error
	CouncilSession(ctx context.Context, id string) (CouncilSession, error)
	CouncilSessions(ctx context.Context, q SessionQuery) (SessionPage, error)
	// ChangeCouncilSession stores s under its id. Its council and source do not change.
	ChangeCouncilSession(ctx context.Context, s CouncilSession) error
	RemoveCouncilSession(ctx context.Context, id string) error
	// DeleteCouncilSessions removes sessions that started before a time.
	DeleteCouncilSessions(ctx context.Context, before time.Time, limit int) (deleted int, err error)
	// SessionsOf returns the first sessions of all councils of a participant that are not
	// over at from and start before until, at most limit, in the order of their starts.
	// Cancelled ones are not included.
	SessionsOf(ctx context.Context, participantID string, from, until time.Time, limit int) ([]CouncilSession, error)
	// UpsertSessions replaces the sessions of one source by the given ones, all or nothing:
	// those with a known SourceUID are changed, others added with new ids, and those of the
	// source that are missing and start after now are cancelled. Earlier ones remain,
	// because calendars do not keep them. CouncilID, Source and ID of the given sessions are ignored.
	UpsertSessions(ctx context.Context, councilID, source string, sessions []CouncilSession, now time.Time) (ImportResult, error)
}

// CheckImport returns an *InputError if the sessions of an import cannot be stored.
func CheckImport(source string, sessions []CouncilSession) error {
	if source == "" || len(source) > maxUIDBytes {
		return inputf("the source of an import has 1 to %d bytes", maxUIDBytes)
	}
	if len(sessions) > MaxImportSessions {
		return inputf("the import has %d sessions, more than %d", len(sessions), MaxImportSessions)
	}
	seen := map[string]bool{}
	for _, s := range sessions {
		if s.SourceUID == "" || seen[s.SourceUID] {
			return inputf("a session of the import has no identifier of its own: %.80q", s.SourceUID)
		}
		seen[s.SourceUID] = true
		if err := s.Check(); err != nil {
			return fmt.Errorf("session %.80q: %w", s.SourceUID, err)
		}
	}
	return nil
}

// Compare returns the order of two sessions: by start, then by id.
func (s CouncilSession) Compare(o CouncilSession) int {
	return cmp.Or(s.StartsAt.Compare(o.StartsAt), strings.Compare(s.ID, o.ID))
}

// Compare returns the order of two councils: by name, then by id.
func (c Council) Compare(o Council) int {
	return cmp.Or(strings.Compare(c.Name, o.Name), strings.Compare(c.ID, o.ID))
}
