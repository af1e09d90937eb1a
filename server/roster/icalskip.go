package roster

import (
	"fmt"
	"slices"
	"strings"
)

// maxNamed limits the events that a note names.
const maxNamed = 3

// skipped are the events that were skipped for one reason.
type skipped struct {
	events int
	named  []string // the first ones that have a label, without duplicates
	more   bool     // further ones have another label
}

// names returns the labels for a note, or "".
func (s skipped) names() string {
	if len(s.named) == 0 {
		return ""
	}
	list := strings.Join(s.named, ", ")
	if s.more {
		list += ", and others"
	}
	return " (" + list + ")"
}

// skip counts a skipped event. label names it in the note, "" does not. It returns false, for event.
func (r *calendarReader) skip(why, label string) bool {
	s, known := r.skipped[why]
	if !known && len(r.skipped) >= maxNotes {
		return false
	}
	s.events++
	switch {
	case label == "" || slices.Contains(s.named, label):
	case len(s.named) < maxNamed:
		s.named = append(s.named, label)
	default:
		s.more = true
	}
	r.skipped[why] = s
	return false
}

// cannotRead counts an event that could not be read. Only its own meetings may be missing because
// of it, but without a UID nobody knows which these are. It returns false, for event.
func (r *calendarReader) cannotRead(e event, why string) bool {
	r.unread++
	if e.uid == "" {
		r.roster.Complete = false
	} else {
		r.roster.Unread = append(r.roster.Unread, e.uid)
		if e.former != "" {
			r.roster.Unread = append(r.roster.Unread, e.former)
		}
	}
	return r.skip(why, e.label())
}

// label names an event in a note: its title and its UID, as far as it has them.
func (e event) label() string {
	switch {
	case e.uid == "" && e.name == "":
		return ""
	case e.uid == "":
		return fmt.Sprintf("%.60q without a UID", e.name)
	case e.name == "":
		return fmt.Sprintf("UID %.60q", e.uid)
	}
	return fmt.Sprintf("%.60q with the UID %.60q", e.name, e.uid)
}
