package disturbance

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// Store is the storage that this package needs.
type Store interface {
	store.Disturbances
	Council(ctx context.Context, id string) (store.Council, error)
	CouncilMembers(ctx context.Context, councilID string) (members []store.ParticipantState, revision int64, err error)
	CouncilSession(ctx context.Context, id string) (store.CouncilSession, error)
	SessionsOf(ctx context.Context, participantID string, from, until time.Time, limit int) ([]store.CouncilSession, error)
	Report(ctx context.Context, id string) (store.StoredReport, error)
	ReportsBetween(ctx context.Context, participantID string, from, to time.Time, limit int, each func(store.StoredReport)) error
}

// Times of a session in which a disturbance can be reported.
const (
	// Before is how long before its start a session counts.
	Before = time.Hour
	// Overtime is how long it counts after its planned end, because sessions often take longer.
	Overtime = wire.Overtime
	// clockSlack is how far a reported time may be in the future, because clocks differ.
	clockSlack = time.Minute
)

// Limits of what is read for one member, and of a remark.
const (
	maxReportsRead = 100
	MaxRemarkRunes = store.MaxCaseNoteRunes
)

// Errors of a report, in addition to those of store.DisturbanceRecord.With.
var (
	// ErrNoSession means that no session of a participant is in progress.
	ErrNoSession = errors.New("no session is in progress")
	// ErrNotMember means that somebody is not a member of the council of the session.
	ErrNotMember = errors.New("not a member")
	// ErrTime means that a time is in the future, or long before the session.
	ErrTime = errors.New("the time is not in the session")
)

// Recorder makes the entries of records. All fields but Common are required.
type Recorder struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	// Rules returns the rules of the chosen Land, for new records.
	Rules func() (Rules, error)
	// Zone is the time zone in which checks count for a session.
	Zone   *time.Location
	Probes report.Probes
	// Common returns the common causes of the present; default none.
	Common func() []fleet.Finding
}

// Call is who makes an entry, and when it happened.
type Call struct {
	By     By
	Staff  string    // name of the member of staff; "" for a participant
	At     time.Time // zero for now
	Key    string    // makes the entry idempotent
	Remark string
	// NotFixed are the numbers of open disturbances that could not be fixed, of store.RecordClosed.
	NotFixed []int
}

// ReportNow records a disturbance of a participant in the session in progress, or in one that starts
// within Before, or was planned to end within Overtime. A session whose record is closed counts as
// over; the next such session is used then.
func (r Recorder) ReportNow(ctx context.Context, participantID string, c Call) (session store.CouncilSession, e store.DisturbanceEntry, err error) {
	list, err := r.sessions(ctx, participantID)
	if err != nil {
		return session, e, err
	}
	for _, session = range list {
		if e, err = r.Report(ctx, session.ID, participantID, c); !errors.Is(err, store.ErrRecordClosed) {
			break
		}
	}
	return session, e, err
}

// sessions returns the sessions to which a report at the present time may belong, the most probable one
// first; ErrNoSession if there is none.
func (r Recorder) sessions(ctx context.Context, participantID string) ([]store.CouncilSession, error) {
	now := r.Now()
	list, err := r.Store.SessionsOf(ctx, participantID, now.Add(-Overtime), now.Add(Before), store.DefaultPage)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNoSession
	}
	// Those in progress are before those that were planned to be over, and these before those that
	// begin later.
	rank := func(s store.CouncilSession) int {
		switch {
		case s.StartsAt.After(now):
			return 2
		case !s.Closes().After(now):
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b store.CouncilSession) int {
		if first := cmp.Compare(rank(a), rank(b)); first != 0 || rank(a) == 2 {
			return first
		}
		return b.StartsAt.Compare(a.StartsAt) // of several, the last one that began
	})
	return list, nil
}

// Report records a disturbance of a member of the council of a session.
func (r Recorder) Report(ctx context.Context, sessionID, participantID string, c Call) (store.DisturbanceEntry, error) {
	d, err := r.draft(ctx, sessionID, store.DisturbanceReported, c)
	if err != nil {
		return store.DisturbanceEntry{}, err
	}
	members, _, err := r.Store.CouncilMembers(ctx, d.session.CouncilID)
	if err != nil {
		return store.DisturbanceEntry{}, err
	}
	slices.SortFunc(members, func(a, b store.ParticipantState) int {
		return strings.Compare(store.NameKey(a.Name)+a.ID, store.NameKey(b.Name)+b.ID)
	})
	i := slices.IndexFunc(members, func(m store.ParticipantState) bool { return m.ID == participantID })
	if i < 0 {
		return store.DisturbanceEntry{}, ErrNotMember
	}
	d.entry.ParticipantID = participantID
	since := store.RollSince(d.session.StartsAt, r.Zone)
	if err := r.disturbed(ctx, d, members[i], since); err != nil {
		return store.DisturbanceEntry{}, err
	}
	d.caller(c, participantID)
	counts := &Counts{}
	for _, m := range members {
		if m.ID == participantID {
			continue
		}
		if m, err = r.knownAt(ctx, m, since, d.facts.At); err != nil {
			return store.DisturbanceEntry{}, err
		}
		state := stateOf(m, since)
		if d.begin.OpenOf(m.ID, d.facts.At) != nil {
			state = StateReported
		}
		*counts.Of(state)++
		d.person(m.ID, Person{Role: RoleOther, Name: m.Name, State: state, CheckedAt: second(m.CountsAt())})
	}
	d.facts.Others = counts
	return r.add(ctx, d)
}

// Follow adds an entry about a disturbance, or about the whole record if number is 0: its end, a
// later diagnosis, a correction, or that the record is complete.
func (r Recorder) Follow(ctx context.Context, sessionID string, kind store.DisturbanceKind, number int, c Call) (store.DisturbanceEntry, error) {
	d, err := r.draft(ctx, sessionID, kind, c)
	if err != nil {
		return store.DisturbanceEntry{}, err
	}
	d.facts.About, d.entry.About = number, number
	if kind == store.RecordClosed {
		open := d.begin.Open(d.facts.At)
		for _, n := range c.NotFixed {
			if !slices.ContainsFunc(open, func(e store.DisturbanceEntry) bool { return e.Number == n }) {
				return store.DisturbanceEntry{}, store.ErrNoDisturbance
			}
		}
		d.facts.NotFixed = slices.Compact(slices.Sorted(slices.Values(c.NotFixed)))
	}
	subject := ""
	if i := slices.IndexFunc(d.begin.Entries, func(e store.DisturbanceEntry) bool { return e.Number == number }); i >= 0 {
		subject = d.begin.Entries[i].ParticipantID
	} else if number != 0 {
		return store.DisturbanceEntry{}, store.ErrNoDisturbance
	}
	if kind == store.DisturbanceDiagnosed && subject != "" {
		members, _, err := r.Store.CouncilMembers(ctx, d.session.CouncilID)
		if err != nil {
			return store.DisturbanceEntry{}, err
		}
		i := slices.IndexFunc(members, func(m store.ParticipantState) bool { return m.ID == subject })
		if i < 0 {
			return store.DisturbanceEntry{}, ErrNotMember
		}
		if err := r.disturbed(ctx, d, members[i], store.RollSince(d.session.StartsAt, r.Zone)); err != nil {
			return store.DisturbanceEntry{}, err
		}
	} else if kind == store.DisturbanceDiagnosed {
		return store.DisturbanceEntry{}, store.ErrNoDisturbance // the person was erased
	}
	d.caller(c, subject)
	return r.add(ctx, d)
}

// draft is an entry in preparation.
type draft struct {
	session store.CouncilSession
	begin   store.DisturbanceRecord // the outline of the record as stored, or its beginning
	facts   Facts
	entry   store.DisturbanceEntry
	people  []Person // in the order of entry.People
}

func (r Recorder) draft(ctx context.Context, sessionID string, kind store.DisturbanceKind, c Call) (*draft, error) {
	d := &draft{}
	var err error
	d.begin, err = r.Store.DisturbanceOutline(ctx, sessionID)
	begun := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	d.session, err = r.Store.CouncilSession(ctx, sessionID)
	switch {
	case errors.Is(err, store.ErrNotFound) && begun && (kind == store.DisturbanceCorrected || kind == store.RecordClosed):
		d.session = store.CouncilSession{ID: sessionID, StartsAt: d.begin.StartsAt} // it was removed
	case err != nil:
		return nil, err
	}
	now := r.Now()
	at := second(c.At)
	if at.IsZero() {
		at = second(now)
	}
	if at.After(now.Add(clockSlack)) || kind == store.DisturbanceReported && (at.Before(d.session.StartsAt.Add(-Before)) || at.After(d.session.Closes().Add(Overtime))) {
		return nil, ErrTime
	}
	if !begun {
		if kind != store.DisturbanceReported {
			return nil, store.ErrNoDisturbance
		}
		if d.begin, err = r.begin(ctx, d.session); err != nil {
			return nil, err
		}
	}
	d.facts = Facts{Kind: kind, At: at, RecordedAt: second(now), By: c.By}
	d.entry = store.DisturbanceEntry{Key: c.Key, Kind: kind, At: at}
	return d, nil
}

// disturbed adds the person with the disturbance and their diagnosis.
func (r Recorder) disturbed(ctx context.Context, d *draft, member store.ParticipantState, since time.Time) error {
	person, err := r.knownAt(ctx, member, since, d.facts.At)
	if err != nil {
		return err
	}
	if d.facts.Diagnosis, err = r.diagnosis(ctx, person, since, d.facts.At); err != nil {
		return err
	}
	d.person(member.ID, Person{Role: RoleDisturbed, Name: person.Name})
	return nil
}

// begin returns the beginning of a record.
func (r Recorder) begin(ctx context.Context, s store.CouncilSession) (store.DisturbanceRecord, error) {
	council, err := r.Store.Council(ctx, s.CouncilID)
	if err != nil {
		return store.DisturbanceRecord{}, err
	}
	rules, err := r.Rules()
	if err != nil {
		return store.DisturbanceRecord{}, err
	}
	head, err := textOf(Head{Schema: Schema, SessionID: s.ID, Council: council.Name, Title: s.Title, Place: s.Place,
		StartsAt: second(s.StartsAt), EndsAt: second(s.EndsAt), Rules: rules})
	return store.DisturbanceRecord{SessionID: s.ID, Head: head, StartsAt: s.StartsAt}, err
}

// person adds what the entry says about a person.
func (d *draft) person(participantID string, p Person) {
	d.people = append(d.people, p)
	d.entry.People = append(d.entry.People, store.PersonText{ParticipantID: participantID})
}

// caller adds who made the entry. A remark may name the person with the disturbance, and is erased
// with them.
func (d *draft) caller(c Call, subject string) {
	if c.Staff != "" {
		d.person("", Person{Role: RoleStaff, Name: c.Staff})
	}
	if c.Remark != "" {
		d.person(subject, Person{Role: RoleRemark, Text: c.Remark})
	}
}

// add completes an entry and stores it.
func (r Recorder) add(ctx context.Context, d *draft) (store.DisturbanceEntry, error) {
	d.facts.People = []string{}
	for i, p := range d.people {
		salt := make([]byte, 16)
		if _, err := io.ReadFull(r.Random, salt); err != nil {
			return store.DisturbanceEntry{}, fmt.Errorf("disturbance record: %w", err)
		}
		p.Salt = hex.EncodeToString(salt)
		text, err := textOf(p)
		if err != nil {
			return store.DisturbanceEntry{}, err
		}
		d.entry.People[i].Text, d.entry.People[i].Hash = text, store.TextHash(text)
		d.facts.People = append(d.facts.People, d.entry.People[i].Hash)
	}
	var err error
	if d.entry.Text, err = textOf(d.facts); err != nil {
		return store.DisturbanceEntry{}, err
	}
	_, e, err := r.Store.AddDisturbanceEntry(ctx, d.begin, d.entry)
	return e, err
}
