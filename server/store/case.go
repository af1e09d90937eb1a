package store

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// CaseState is the state of a case.
type CaseState string

// The states of a case.
const (
	CaseOpen   CaseState = "open"
	CaseTaken  CaseState = "taken" // somebody of the staff works on it
	CaseClosed CaseState = "closed"
)

// True causes of a closed case besides the codes of causes. Codes contain a dot.
const (
	CauseNone    = "none"    // there was no fault
	CauseOther   = "other"   // a cause without a code, which the text describes
	CauseUnknown = "unknown" // nobody found out
)

// CaseEntryKind is the kind of an entry.
type CaseEntryKind string

// The kinds of entries.
const (
	CaseNoted     CaseEntryKind = "note"
	CaseWasTaken  CaseEntryKind = "taken"
	CaseReleased  CaseEntryKind = "released"
	CaseWasClosed CaseEntryKind = "closed"
	CaseReopened  CaseEntryKind = "reopened"
)

// Limits of a case.
const (
	MaxCaseNotes     = 200
	MaxCaseNoteRunes = 500
	maxCaseByBytes   = 200
)

// sameNote is the time within which the same note by the same member is one that was sent twice.
const sameNote = 10 * time.Second

// CaseEntry is something that a member of staff did or noted.
type CaseEntry struct {
	At   time.Time
	By   string // name of the member
	Kind CaseEntryKind
	Text string // one line; optional unless it is a note or the cause is CauseOther
	// Cause is the cause that it really was: a code, or one of CauseNone, CauseOther and
	// CauseUnknown. It is set for CaseWasClosed only.
	Cause string
	// From is who had the case when the entry was made, as far as the member knew; "" for
	// nobody. An entry that takes it from somebody else fails. It is not stored.
	From string
}

// Case is the work of staff on a report. A report without any entry is an open case.
type Case struct {
	ReportID      string
	ParticipantID string
	Code          string // case code
	Named         string // code of the primary cause of the report; "" for none
	State         CaseState
	By            string    // who has taken or closed it; "" for nobody
	Since         time.Time // of the state; zero for a case without entries
	Cause         string    // the cause that it was; "" until it is closed
	Entries       []CaseEntry
}

// CaseConflictError means that another member of staff has meanwhile taken or closed a case,
// which was not changed.
type CaseConflictError struct {
	State CaseState
	By    string
}

func (e *CaseConflictError) Error() string {
	if e.State == CaseOpen {
		return "the case was released meanwhile"
	}
	return fmt.Sprintf("the case is %s by %s", e.State, e.By)
}

// With returns c after one more entry. changed is false if the entry has no effect, such as
// closing a case again in the same way. The errors are *InputError and *CaseConflictError.
func (c Case) With(e CaseEntry) (next Case, changed bool, err error) {
	if err := e.check(); err != nil {
		return c, false, err
	}
	conflict := &CaseConflictError{State: c.State, By: c.By}
	// A case is taken from another member only if the caller knew that it was taken.
	held := c.State == CaseTaken && c.By != e.By && c.By != e.From
	next = c
	switch e.Kind {
	case CaseNoted:
		switch {
		case c.hasJustNoted(e):
			return c, false, nil
		case c.notes() >= MaxCaseNotes: // the other entries are not limited: every case can be closed
			return c, false, inputf("a case has at most %d notes", MaxCaseNotes)
		}
		if c.Since.IsZero() {
			next.Since = e.At
		}
	case CaseWasTaken:
		switch {
		case c.State == CaseClosed, held, c.State == CaseOpen && e.From != "":
			return c, false, conflict
		case c.State == CaseTaken && c.By == e.By:
			return c, false, nil
		}
		next.State, next.By, next.Since = CaseTaken, e.By, e.At
	case CaseReleased:
		switch {
		case c.State == CaseOpen:
			return c, false, nil
		case c.State == CaseClosed, held:
			return c, false, conflict
		}
		next.State, next.By, next.Since = CaseOpen, "", e.At
	case CaseWasClosed:
		switch {
		case c.State == CaseClosed && c.By == e.By && c.Cause == e.Cause:
			return c, false, nil
		case c.State == CaseClosed, held:
			return c, false, conflict
		}
		next.State, next.By, next.Since, next.Cause = CaseClosed, e.By, e.At, e.Cause
	case CaseReopened:
		switch {
		case c.State == CaseTaken && c.By == e.By:
			return c, false, nil
		case c.State != CaseClosed:
			return c, false, conflict
		}
		next.State, next.By, next.Since, next.Cause = CaseTaken, e.By, e.At, ""
	}
	e.From = ""
	next.Entries = append(c.Entries[:len(c.Entries):len(c.Entries)], e)
	return next, true, nil
}

// notes returns the number of notes.
func (c Case) notes() (n int) {
	for _, e := range c.Entries {
		if e.Kind == CaseNoted {
			n++
		}
	}
	return n
}

// hasJustNoted reports whether the last note of the same member is the same, and not old.
func (c Case) hasJustNoted(e CaseEntry) bool {
	for _, last := range slices.Backward(c.Entries) {
		if last.Kind == CaseNoted && last.By == e.By {
			return last.Text == e.Text && e.At.Sub(last.At).Abs() < sameNote
		}
	}
	return false
}

var reCauseCode = regexp.MustCompile(`^[a-z]{1,20}\.[a-z0-9_]{1,40}$`)

// IsCause reports whether a text can be the cause of a closed case.
func IsCause(cause string) bool {
	switch cause {
	case CauseNone, CauseOther, CauseUnknown:
		return true
	}
	return reCauseCode.MatchString(cause)
}

func (e CaseEntry) check() error {
	switch {
	case e.By == "" || len(e.By) > maxCaseByBytes:
		return inputf("an entry has a member of staff")
	case !utf8.ValidString(e.Text) || utf8.RuneCountInString(e.Text) > MaxCaseNoteRunes:
		return inputf("a note has at most %d letters", MaxCaseNoteRunes)
	case strings.ContainsFunc(e.Text, unicode.IsControl):
		return inputf("a note is one line without control characters")
	}
	empty := strings.TrimSpace(e.Text) == ""
	switch e.Kind {
	case CaseNoted:
		if empty {
			return inputf("the note is empty")
		}
	case CaseWasClosed:
		if !IsCause(e.Cause) {
			return inputf("the cause that it was is missing")
		}
		if e.Cause == CauseOther && empty {
			return inputf("another cause needs a note that describes it")
		}
	case CaseWasTaken, CaseReleased, CaseReopened:
	default:
		return inputf("unknown entry %q", e.Kind)
	}
	if e.Kind != CaseWasClosed && e.Cause != "" {
		return inputf("only a closed case has a cause")
	}
	return nil
}

// CauseCount is a number of closed cases with the same named and true cause.
type CauseCount struct {
	Named, True string
	Cases       int
}
