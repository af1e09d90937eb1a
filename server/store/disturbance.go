package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"
)

// DisturbanceKind is the kind of an entry of a disturbance record.
type DisturbanceKind string

// The kinds of entries.
const (
	DisturbanceReported  DisturbanceKind = "reported"   // somebody has a disturbance
	DisturbanceEnded     DisturbanceKind = "ended"      // it is over
	DisturbanceDiagnosed DisturbanceKind = "diagnosed"  // a later check of the same person
	DisturbanceCorrected DisturbanceKind = "correction" // a remark, also after the record was closed
	RecordClosed         DisturbanceKind = "closed"     // the record is complete
)

// Limits of a disturbance record.
const (
	MaxDisturbanceEntries = 1000
	maxDisturbanceBytes   = 256 << 10 // of the texts of one entry
	maxDisturbanceKey     = 64
)

// SameDisturbance is how long after its report another report of the same person has no effect.
// Later ones may be about a new disturbance whose predecessor's end was forgotten.
const SameDisturbance = 10 * time.Minute

// Errors of a disturbance record, which was not changed.
var (
	ErrRecordClosed  = errors.New("the record is closed")
	ErrRecordFull    = errors.New("the record has the largest number of entries")
	ErrNoDisturbance = errors.New("there is no such disturbance, or it is over")
)

// PersonText is what an entry of a disturbance record says about a person. It is erased with the
// person; the hash remains.
type PersonText struct {
	ParticipantID string // "" if it is about nobody who can be erased
	Hash          string // SHA-256 of Text, in hexadecimal digits
	Text          string // "" once it is erased
}

// DisturbanceEntry is an entry of a disturbance record. It never changes.
type DisturbanceEntry struct {
	Number int    // 1 is the first
	Key    string // makes it idempotent
	Kind   DisturbanceKind
	At     time.Time
	// About is the number of the entry with the disturbance, of DisturbanceEnded and
	// DisturbanceDiagnosed; 0 for others.
	About int
	// ParticipantID is who has the disturbance; "" for other kinds, or once the person is erased.
	ParticipantID string
	// Text contains the facts without any person, and the hashes of People, in their order.
	Text   string
	People []PersonText
	// Hash is the hash of the record up to this entry.
	Hash string
}

// DisturbanceRecord is the record of the disturbances of a session.
type DisturbanceRecord struct {
	ID        string
	SessionID string
	Head      string // the session and the rules; no person
	StartsAt  time.Time
	Entries   []DisturbanceEntry
}

// TextHash returns the hash of a text: SHA-256 in hexadecimal digits.
func TextHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// ChainHash returns the hash of a record with one more entry: that of the hash before, a line feed
// and the text of the entry. The hash of a record without entries is that of its head.
func ChainHash(before, text string) string { return TextHash(before + "\n" + text) }

// Hash returns the hash of the record.
func (r DisturbanceRecord) Hash() string {
	if len(r.Entries) == 0 {
		return TextHash(r.Head)
	}
	return r.Entries[len(r.Entries)-1].Hash
}

// Closing returns the entry that closed the record; nil if it is open.
func (r DisturbanceRecord) Closing() *DisturbanceEntry {
	if i := slices.IndexFunc(r.Entries, func(e DisturbanceEntry) bool { return e.Kind == RecordClosed }); i >= 0 {
		return &r.Entries[i]
	}
	return nil
}

// Open returns the disturbances that were reported at a time or before, and were not over.
func (r DisturbanceRecord) Open(at time.Time) (open []DisturbanceEntry) {
	for _, e := range r.Entries {
		if e.Kind == DisturbanceReported && !e.At.After(at) && !r.over(e.Number, at) {
			open = append(open, e)
		}
	}
	return open
}

// over reports whether a disturbance ended at a time or before.
func (r DisturbanceRecord) over(number int, at time.Time) bool {
	end := r.endOf(number)
	return end != nil && !end.At.After(at)
}

func (r DisturbanceRecord) endOf(number int) *DisturbanceEntry {
	if i := slices.IndexFunc(r.Entries, func(e DisturbanceEntry) bool { return e.Kind == DisturbanceEnded && e.About == number }); i >= 0 {
		return &r.Entries[i]
	}
	return nil
}

// OpenOf returns the disturbance that a person has at a time, the last one to begin; nil if there is
// none.
func (r DisturbanceRecord) OpenOf(participantID string, at time.Time) (last *DisturbanceEntry) {
	for _, e := range r.Open(at) {
		if e.ParticipantID == participantID && participantID != "" && (last == nil || !e.At.Before(last.At)) {
			last = &e
		}
	}
	return last
}

// With returns r after one more entry, whose Number and Hash are set. changed is false if it has
// no effect: its key is known, or the person's disturbance was reported within SameDisturbance. The
// errors are *InputError, ErrRecordClosed, ErrRecordFull and ErrNoDisturbance.
func (r DisturbanceRecord) With(e DisturbanceEntry) (next DisturbanceRecord, changed bool, err error) {
	if slices.ContainsFunc(r.Entries, func(o DisturbanceEntry) bool { return o.Key == e.Key }) {
		return r, false, nil
	}
	if err := e.check(); err != nil {
		return r, false, err
	}
	closed := r.Closing() != nil
	switch e.Kind {
	case DisturbanceReported:
		if open := r.OpenOf(e.ParticipantID, e.At); !closed && open != nil && e.At.Sub(open.At) < SameDisturbance {
			return r, false, nil
		}
	case DisturbanceEnded, DisturbanceDiagnosed:
		i := slices.IndexFunc(r.Entries, func(o DisturbanceEntry) bool { return o.Number == e.About && o.Kind == DisturbanceReported })
		if i < 0 || r.endOf(e.About) != nil && e.Kind == DisturbanceEnded {
			return r, false, ErrNoDisturbance
		}
		if e.At.Before(r.Entries[i].At) {
			return r, false, inputf("this is before the disturbance")
		}
	case RecordClosed:
		if closed {
			return r, false, nil
		}
	}
	switch {
	case closed && e.Kind != DisturbanceCorrected:
		return r, false, ErrRecordClosed
	case len(r.Entries) >= MaxDisturbanceEntries:
		return r, false, ErrRecordFull
	}
	e.Number, e.Hash = len(r.Entries)+1, ChainHash(r.Hash(), e.Text)
	next = r
	next.Entries = append(r.Entries[:len(r.Entries):len(r.Entries)], e)
	return next, true, nil
}

func (e DisturbanceEntry) check() error {
	size := len(e.Text)
	for _, p := range e.People {
		size += len(p.Text)
		if p.Hash != TextHash(p.Text) {
			return inputf("the hash of what is said about a person is wrong")
		}
	}
	switch {
	case e.Key == "" || len(e.Key) > maxDisturbanceKey:
		return inputf("an entry has a key of at most %d bytes", maxDisturbanceKey)
	case e.At.IsZero():
		return inputf("an entry has a time")
	case size > maxDisturbanceBytes:
		return inputf("an entry has at most %d bytes", maxDisturbanceBytes)
	}
	switch e.Kind {
	case DisturbanceReported:
		if e.ParticipantID == "" {
			return inputf("a disturbance is that of a person")
		}
	case DisturbanceEnded, DisturbanceDiagnosed, DisturbanceCorrected, RecordClosed:
	default:
		return inputf("unknown entry %q", e.Kind)
	}
	return nil
}

// PersonEntry is what one entry of a disturbance record says about a person.
type PersonEntry struct {
	SessionID, Head string
	Number          int
	At              time.Time
	Text            string // the facts, which may be about somebody else
	Person          string // the text about the person
}

// RecordSummary is a row of the list of disturbance records.
type RecordSummary struct {
	SessionID string
	Head      string
	StartsAt  time.Time
	Reports   int // disturbances
	ClosedAt  time.Time
}

// Disturbances stores the disturbance records, one for each session. They outlive the session and
// the reports that they quote.
type Disturbances interface {
	// DisturbanceRecord returns ErrNotFound if nothing was recorded in a session.
	DisturbanceRecord(ctx context.Context, sessionID string) (DisturbanceRecord, error)
	// DisturbanceOutline is DisturbanceRecord without the texts and people of entries, which are
	// most of it.
	DisturbanceOutline(ctx context.Context, sessionID string) (DisturbanceRecord, error)
	// AddDisturbanceEntry adds an entry to the record of begin.SessionID, and begins it with
	// begin if there is none. It returns the outline of the record with the entry, and the entry
	// with the key or with the disturbance that is known already. Its errors include those of
	// DisturbanceRecord.With.
	AddDisturbanceEntry(ctx context.Context, begin DisturbanceRecord, e DisturbanceEntry) (DisturbanceRecord, DisturbanceEntry, error)
	// PersonEntries returns what disturbance records say about a participant, the oldest first.
	PersonEntries(ctx context.Context, participantID string) ([]PersonEntry, error)
	// DisturbanceRecords returns the newest records by the start of their sessions.
	DisturbanceRecords(ctx context.Context, limit int) ([]RecordSummary, error)
	// DeleteDisturbanceRecords removes at most limit records of sessions that started before a
	// time.
	DeleteDisturbanceRecords(ctx context.Context, before time.Time, limit int) (deleted int, err error)
}
