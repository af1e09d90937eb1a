// Package intake converts tables of people and rosters of other systems into changes of
// the store: first a plan, which a person can review, then all of it or nothing.
package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
)

// Store is the storage that this package needs.
type Store interface {
	enroll.Store
	CouncilNamed(ctx context.Context, name string) (store.Council, error)
	CouncilOfSource(ctx context.Context, source string) (store.Council, error)
	CouncilMembers(ctx context.Context, councilID string) ([]store.ParticipantState, int64, error)
	ApplyImport(ctx context.Context, i store.Import) ([]store.ImportResult, error)
	ErasedPerson(ctx context.Context, name, sourceID string) (time.Time, error)
	ParticipantOfSource(ctx context.Context, sourceID string) (store.Participant, error)
}

// Importer plans and applies imports.
type Importer struct {
	Store  Store
	Enroll enroll.Enroller
	// Again adds erased people again. Without it, an import leaves them out (Plan.Erased).
	Again bool
}

// Erased is an erased person whom a plan leaves out.
type Erased struct {
	Line     int    // of the table; 0 if there is none
	Name     string // as the source writes it
	ErasedAt time.Time
}

// Person is the planned change for one person.
type Person struct {
	Line          int // of the table; 0 if there is none
	Email         string
	Council       string // name; "" for none
	Known         bool   // a participant already
	Invitation    enroll.Invitation
	SharesPhone   []string // names of other participants with the phone number
	SharesName    []string // phone numbers of other participants with the name; "" for none
	BreaksSound   []string // see enroll.BreaksSound
	PhoneUnlikely bool     // begins with neither 0 nor +: a spreadsheet has removed it
}

// Council contains the planned changes for one council.
type Council struct {
	store.Council
	New          bool
	Joined, Left []string // names
	Sessions     []store.CouncilSession
	// Result counts the changes of sessions. It is known after Apply.
	Result store.ImportResult
}

// Plan is an import that has not been applied yet.
type Plan struct {
	People   []Person
	Councils []Council
	Erased   []Erased
	Notes    []string
	// Complete is false if the source may be incomplete; then no member is removed and no
	// session cancelled.
	Complete bool
	// Unread is true if events of a calendar could not be read; their sessions remain as they are.
	Unread bool

	change store.Import
}

// Apply makes all changes of a plan, and adds them to the audit log, or, on an error, none. With dryRun it makes none, and
// only counts them.
func (d Importer) Apply(ctx context.Context, p *Plan, dryRun bool) error {
	p.change.DryRun = dryRun
	results, err := d.Store.ApplyImport(ctx, p.change)
	if err != nil {
		return err
	}
	for i, s := range p.change.Sessions {
		for j := range p.Councils {
			if p.Councils[j].ID == s.CouncilID {
				p.Councils[j].Result = p.Councils[j].Result.Plus(results[i])
			}
		}
	}
	return nil
}

// planner collects a plan.
type planner struct {
	Importer
	plan  *Plan
	added []enroll.Invitation // new participants of this plan
	// codes means that new participants get a set-up code, for letters.
	codes bool
}

func (d Importer) planner() *planner {
	return &planner{Importer: d, plan: &Plan{Complete: true, change: store.Import{Now: d.Enroll.Now()}}}
}

// errAmbiguous means that several participants have a name, and no phone number tells them apart.
var errAmbiguous = errors.New("there are several participants with this name: the telephone number must identify the person")

// erasedError means that a person was erased, and is not added again.
type erasedError struct{ at time.Time }

func (e *erasedError) Error() string {
	return "this person was erased on " + e.at.Format(time.DateOnly)
}

// leaveOut adds a person to those whom the plan leaves out, once.
func (p *planner) leaveOut(e Erased) {
	key := store.ErasedNameKey(e.Name)
	if !slices.ContainsFunc(p.plan.Erased, func(o Erased) bool { return store.ErasedNameKey(o.Name) == key }) {
		p.plan.Erased = append(p.plan.Erased, e)
	}
}

// absent returns the person of a source, "" for none, whom no name has found: a participant with this id in
// the source, or nobody. It returns an *erasedError for one who was erased.
func (p *planner) absent(ctx context.Context, name, source string) (known []store.Participant, err error) {
	if source != "" {
		found, err := p.Store.ParticipantOfSource(ctx, source)
		if err == nil {
			return []store.Participant{found}, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	if p.Again {
		return nil, nil
	}
	switch at, err := p.Store.ErasedPerson(ctx, name, source); {
	case err == nil:
		return nil, &erasedError{at}
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	return nil, nil
}

// person plans a participant, new or known. Persons are the same if their names are, and their
// phone numbers, unless one of them has none; or if they have the same id in a source, "" for none.
func (p *planner) person(ctx context.Context, name, phone, source string) (Person, error) {
	same, err := p.Enroll.Duplicates(ctx, name, phone, "")
	if err != nil {
		return Person{}, err
	}
	for _, i := range p.added {
		d := enroll.Duplicate{Participant: i.Participant, SameName: enroll.SameName(i.Participant.Name, name), SamePhone: enroll.SamePhone(i.Participant.Phone, phone)}
		if d.SameName || d.SamePhone {
			same = append(same, d)
		}
	}
	var known, likely []store.Participant
	one := Person{BreaksSound: enroll.BreaksSound(name)}
	for _, s := range same {
		switch {
		case s.SameName && s.SamePhone:
			known = append(known, s.Participant)
		case s.SameName && (phone == "" || s.Phone == ""):
			likely = append(likely, s.Participant)
		case s.SameName:
			one.SharesName = append(one.SharesName, s.Phone)
		default:
			one.SharesPhone = append(one.SharesPhone, s.Name)
		}
	}
	if len(known) == 0 {
		known = likely
	}
	if len(known) == 0 {
		if known, err = p.absent(ctx, name, source); err != nil {
			return one, err
		}
	}
	switch len(known) {
	case 0:
	case 1:
		one.Known, one.Invitation.Participant = true, known[0]
		one.SharesName, one.SharesPhone = nil, nil
		return one, nil
	default:
		return one, errAmbiguous
	}
	i, codes, err := p.Enroll.Draft(name, phone)
	if err != nil {
		return one, err
	}
	entry, err := uuid.NewV7FromReader(p.Enroll.Random)
	if err != nil {
		return one, fmt.Errorf("generate an id: %w", err)
	}
	one.Invitation = i
	p.added = append(p.added, i)
	p.plan.change.Participants = append(p.plan.change.Participants, i.Participant)
	p.plan.change.Audit = append(p.plan.change.Audit, store.AuditEntry{ID: entry.String(), At: p.Enroll.Now(), Kind: store.AuditParticipantAdded, ParticipantID: i.Participant.ID})
	if p.codes {
		p.plan.change.Codes = append(p.plan.change.Codes, codes...)
	} else {
		one.Invitation.Code = ""
	}
	return one, nil
}

// council returns the council with a name in the plan, which is added if there is none.
func (p *planner) council(ctx context.Context, name string) (*Council, error) {
	for i := range p.plan.Councils {
		if p.plan.Councils[i].Name == name {
			return &p.plan.Councils[i], nil
		}
	}
	c, err := p.Store.CouncilNamed(ctx, name)
	found := Council{Council: c}
	switch {
	case errors.Is(err, store.ErrNotFound):
		id, err := uuid.NewRandomFromReader(p.Enroll.Random)
		if err != nil {
			return nil, fmt.Errorf("generate an id: %w", err)
		}
		found.New, found.Council = true, store.Council{ID: id.String(), Name: name, CreatedAt: p.Enroll.Now().UTC().Truncate(time.Millisecond)}
		if err := found.Check(); err != nil {
			return nil, err
		}
		p.plan.change.Councils = append(p.plan.change.Councils, found.Council)
	case err != nil:
		return nil, err
	}
	p.plan.Councils = append(p.plan.Councils, found)
	return &p.plan.Councils[len(p.plan.Councils)-1], nil
}

// members returns the ids of the present members of a council.
func (p *planner) members(ctx context.Context, c *Council) (map[string]store.Participant, error) {
	members := map[string]store.Participant{}
	if c.New {
		return members, nil
	}
	states, _, err := p.Store.CouncilMembers(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		members[s.ID] = s.Participant
	}
	return members, nil
}
