// Package disturbance writes the disturbance records of sessions, for the minutes of a session: who
// reported a disturbance and when, what was known at that moment about all others, and whose area of
// responsibility the cause is in, together with the rules of the Land. It makes no decision.
//
// A record is a chain of hashes (store.ChainHash) over texts, which are JSON objects with the
// fields of the types of this package in their order, without spaces. Texts about people are apart
// from the facts, so that they can be erased.
package disturbance

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

// Schema names the form of a record.
const Schema = "tonprobe.disturbance-record/v1"

// Head is the beginning of a record.
type Head struct {
	Schema    string    `json:"schema"`
	SessionID string    `json:"session"`
	Council   string    `json:"council"`
	Title     string    `json:"title"`
	Place     string    `json:"place"`
	StartsAt  time.Time `json:"starts_at"`
	EndsAt    time.Time `json:"ends_at,omitzero"`
	Rules     Rules     `json:"rules"`
}

// By is who made an entry.
type By string

// Who makes entries.
const (
	BySupport     By = "support"
	ByParticipant By = "participant"
)

// Facts are an entry without any person.
type Facts struct {
	Kind store.DisturbanceKind `json:"kind"`
	// At is when it happened, and RecordedAt when the entry was made: support may report
	// something that happened earlier.
	At         time.Time `json:"at"`
	RecordedAt time.Time `json:"recorded_at"`
	By         By        `json:"by"`
	About      int       `json:"about,omitempty"` // number of the entry with the disturbance
	// Diagnosis is what the last check of the person had found, as known at At; nil for entries
	// about nobody.
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
	// Others are the numbers of all other members by their states, as known at At.
	Others *Counts `json:"others,omitempty"`
	// NotFixed are the numbers of disturbances that could not be fixed, of store.RecordClosed.
	NotFixed []int    `json:"not_fixed,omitempty"`
	People   []string `json:"people"` // hashes of the texts about people
}

// Diagnosis is the cause of a disturbance, as far as known.
type Diagnosis struct {
	Area      report.Area       `json:"area"` // unknown, unless a check named a cause
	Cause     string            `json:"cause,omitempty"`
	CheckedAt time.Time         `json:"checked_at,omitzero"` // zero if there was no check that counts
	Verdict   report.Verdict    `json:"verdict,omitempty"`
	Evidence  []report.Evidence `json:"evidence,omitempty"`
	// Common are the codes of common causes that affected the person (package fleet).
	Common []string `json:"common,omitempty"`
}

// State is what was known about a member at one time.
type State string

// The states of a member. A member without a check that counts is unknown as well.
const (
	StateReported State = "reported" // has a reported disturbance
	StateNotReady State = "not_ready"
	StateLimited  State = "limited"
	StateReady    State = "ready"
	StateUnknown  State = "unknown"
)

// States returns all states, worst first.
func States() []State {
	return []State{StateReported, StateNotReady, StateLimited, StateUnknown, StateReady}
}

// Counts are numbers of members by their states.
type Counts struct {
	Reported int `json:"reported"`
	NotReady int `json:"not_ready"`
	Limited  int `json:"limited"`
	Unknown  int `json:"unknown"`
	Ready    int `json:"ready"`
}

// Of returns a pointer to the number of a state.
func (c *Counts) Of(s State) *int {
	switch s {
	case StateReported:
		return &c.Reported
	case StateNotReady:
		return &c.NotReady
	case StateLimited:
		return &c.Limited
	case StateReady:
		return &c.Ready
	}
	return &c.Unknown
}

// Undisturbed returns whether all were undisturbed. It returns Unknown if nothing is known about one of
// them, or if there are none.
func (c Counts) Undisturbed() Truth {
	switch {
	case c.Reported+c.NotReady+c.Limited > 0:
		return No
	case c.Unknown > 0 || c.Ready == 0:
		return Unknown
	}
	return Yes
}

// Role is why a person is named in an entry.
type Role string

// The roles.
const (
	RoleDisturbed Role = "disturbed" // has the disturbance
	RoleOther     Role = "other"     // another member
	RoleStaff     Role = "staff"     // made the entry
	RoleRemark    Role = "remark"    // a text by staff, which may name people
)

// Person is what an entry says about a person. Salt prevents an erased text from
// being guessed from its hash.
type Person struct {
	Role      Role      `json:"role"`
	Name      string    `json:"name,omitempty"`
	State     State     `json:"state,omitempty"` // of RoleOther
	CheckedAt time.Time `json:"checked_at,omitzero"`
	Text      string    `json:"text,omitempty"` // of RoleRemark
	Salt      string    `json:"salt"`
}

// textOf returns the text of a head, of facts or of a person.
func textOf(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("write a disturbance record: %w", err)
	}
	return string(b), nil
}

// second returns a time as records contain it: to the second, in UTC.
func second(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// Entry is an entry that was read.
type Entry struct {
	Number int
	Hash   string // of the record up to this entry
	// ParticipantID is who has the disturbance; "" for other kinds, once the person is erased, and in
	// a saved record.
	ParticipantID string
	Facts
	Persons []Person // the texts that are not erased
	Erased  int      // number of erased ones
}

// Record is a record that was read.
type Record struct {
	Head
	Entries []Entry
	Hash    string
	// ClosingHash is the hash of the record when it was closed; "" while it is open.
	ClosingHash string
}

// Read reads a stored record.
func Read(stored store.DisturbanceRecord) (r Record, err error) {
	if err := json.Unmarshal([]byte(stored.Head), &r.Head); err != nil {
		return r, fmt.Errorf("read the head of a disturbance record: %w", err)
	}
	r.Hash = stored.Hash()
	if closing := stored.Closing(); closing != nil {
		r.ClosingHash = closing.Hash
	}
	for _, s := range stored.Entries {
		e := Entry{Number: s.Number, Hash: s.Hash, ParticipantID: s.ParticipantID}
		if err := json.Unmarshal([]byte(s.Text), &e.Facts); err != nil {
			return r, fmt.Errorf("read entry %d of a disturbance record: %w", s.Number, err)
		}
		for _, p := range s.People {
			if p.Text == "" {
				e.Erased++
				continue
			}
			var person Person
			if err := json.Unmarshal([]byte(p.Text), &person); err != nil {
				return r, fmt.Errorf("read a person of entry %d: %w", s.Number, err)
			}
			e.Persons = append(e.Persons, person)
		}
		r.Entries = append(r.Entries, e)
	}
	return r, nil
}

// Person returns the first person with a role; nil if there is none, or it was erased.
func (e Entry) Person(role Role) *Person {
	for _, p := range e.Persons {
		if p.Role == role {
			return &p
		}
	}
	return nil
}

// OtherNames returns the other members by their states, in the order of names of the entry.
func (e Entry) OtherNames() map[State][]Person {
	names := map[State][]Person{}
	for _, p := range e.Persons {
		if p.Role == RoleOther {
			names[p.State] = append(names[p.State], p)
		}
	}
	return names
}

// EndOf returns the entry that ended a disturbance; nil if there is none.
func (r Record) EndOf(number int) *Entry { return r.about(number, store.DisturbanceEnded) }

// LaterDiagnosis returns the last entry with a later check of a disturbance; nil if there is none.
func (r Record) LaterDiagnosis(number int) *Entry { return r.about(number, store.DisturbanceDiagnosed) }

// about returns the last entry of a kind about a disturbance.
func (r Record) about(number int, kind store.DisturbanceKind) (last *Entry) {
	for i, e := range r.Entries {
		if e.Kind == kind && e.About == number {
			last = &r.Entries[i]
		}
	}
	return last
}

// Judge compares a disturbance with the rules of the record.
func (r Record) Judge(e Entry) Judgement {
	others := Counts{}
	if e.Facts.Others != nil {
		others = *e.Facts.Others
	}
	return r.Rules.Judge(r.notFixed(e.Number), others.Undisturbed().and(r.undisturbedDuring(e)))
}

// notFixed returns whether a disturbance could not be fixed. This is known only if somebody stated it:
// a missing end may only have been forgotten.
func (r Record) notFixed(number int) Truth {
	if r.EndOf(number) != nil {
		return No
	}
	for _, e := range r.Entries {
		if e.Kind == store.RecordClosed && slices.Contains(e.NotFixed, number) {
			return Yes
		}
	}
	return Unknown
}

// undisturbedDuring returns whether no other member reported a disturbance that overlaps with e. It
// also considers reports that were made after e.
func (r Record) undisturbedDuring(e Entry) Truth {
	t := Yes
	for _, o := range r.Entries {
		if o.Kind != store.DisturbanceReported || o.Number == e.Number || !r.lasts(o, e.At) || !r.lasts(e, o.At) {
			continue
		}
		switch {
		case o.ParticipantID != e.ParticipantID:
			return No
		case o.ParticipantID == "": // both are erased: perhaps the same person
			t = Unknown
		}
	}
	return t
}

// lasts reports whether a disturbance had not ended at a time. Without an end, it lasts as long as the
// record.
func (r Record) lasts(e Entry, at time.Time) bool {
	end := r.EndOf(e.Number)
	return end == nil || !end.At.Before(at)
}
