package privacy

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/store"
)

// Schema names the form of the JSON document of an export.
const Schema = "tonprobe.person/v1"

// Source is the storage that an export reads.
type Source interface {
	Participant(ctx context.Context, id string) (store.Participant, error)
	Agents(ctx context.Context, participantID string) ([]store.Agent, error)
	CouncilsOf(ctx context.Context, participantID string) ([]store.Council, error)
	ParticipantReports(ctx context.Context, q store.ReportQuery) (store.ReportPage, error)
	Report(ctx context.Context, id string) (store.StoredReport, error)
	Case(ctx context.Context, reportID string) (store.Case, error)
	PersonEntries(ctx context.Context, participantID string) ([]store.PersonEntry, error)
	PersonMarks(ctx context.Context, participantID string) (store.PersonMarks, error)
	AuditEntries(ctx context.Context, q store.AuditQuery) (store.AuditPage, error)
}

// Person is everything that is stored about a participant, without their reports, which are documents of
// their own. It names nobody else: members of staff are told apart by a number.
type Person struct {
	Schema  string    `json:"schema"`
	At      time.Time `json:"exported_at"`
	ID      string    `json:"participant"`
	Name    string    `json:"name"`
	Phone   string    `json:"phone"`
	AddedAt time.Time `json:"added_at"`
	Blocked bool      `json:"blocked"`
	// Sources are keyed hashes of the person's ids in other systems, such as OParl, as they are stored. An
	// import recognises the person by them.
	Sources []string `json:"source_hashes"`
	// WithoutCouncilSince is when the person left the last council, or last used a computer if that is later: the
	// start of a retention period.
	WithoutCouncilSince time.Time     `json:"without_council_since,omitzero"`
	Councils            []string      `json:"councils"`
	Computers           []Computer    `json:"computers"`
	Checks              []Check       `json:"checks"`
	Disturbances        []Disturbance `json:"disturbances"`
	Accesses            []Access      `json:"accesses"`

	// NextCheck and MoreAccesses are set if a Part left out older checks or accesses.
	NextCheck    string `json:"-"`
	MoreAccesses bool   `json:"-"`
}

// Part limits what CollectPart reads. Its zero fields mean everything.
type Part struct {
	Checks   int    // the number of checks, the newest first; at most store.MaxPage
	After    string // Person.NextCheck of the part before
	Accesses int    // the number of accesses, the newest first; at most store.MaxPage
}

// Computer is a computer of the person. Its tokens are stored as hashes only, and are not in an export.
type Computer struct {
	ID         string    `json:"id"`
	OS         string    `json:"os"`
	Arch       string    `json:"arch"`
	Version    string    `json:"version"`
	EnrolledAt time.Time `json:"enrolled_at"`
	LastSeenAt time.Time `json:"last_seen_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
}

// Check is a report with what staff did about it. A retest is a check that support requested.
type Check struct {
	Report     string    `json:"report"` // the document is in reports/ID.json
	Case       string    `json:"case"`
	Computer   string    `json:"computer"`
	Trigger    string    `json:"trigger"`
	CheckedAt  time.Time `json:"checked_at"`
	ReceivedAt time.Time `json:"received_at"`
	Verdict    string    `json:"verdict"`
	Cause      string    `json:"cause,omitempty"`
	State      string    `json:"case_state"`
	TrueCause  string    `json:"true_cause,omitempty"`
	Notes      []Note    `json:"notes,omitempty"`
}

// Note is something that staff did or noted about a check.
type Note struct {
	At    time.Time `json:"at"`
	Staff int       `json:"staff"`
	Kind  string    `json:"kind"`
	Text  string    `json:"text,omitempty"`
	Cause string    `json:"cause,omitempty"`

	StaffName string `json:"-"` // for the person's own page only
}

// Disturbance is what an entry of a disturbance record says about the person.
type Disturbance struct {
	Session   string    `json:"session"`
	Council   string    `json:"council"`
	Title     string    `json:"title,omitempty"`
	StartsAt  time.Time `json:"starts_at"`
	Number    int       `json:"number"`
	Kind      string    `json:"kind"`
	At        time.Time `json:"at"`
	Role      string    `json:"role"` // disturbed, other (was a member while somebody else had a disturbance), remark
	State     string    `json:"state,omitempty"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	Text      string    `json:"text,omitempty"`
	// Diagnosis is set for the person's own disturbances only.
	Diagnosis *disturbance.Diagnosis `json:"diagnosis,omitempty"`
}

// Access is an entry of the audit log about the person.
type Access struct {
	At     time.Time `json:"at"`
	Staff  int       `json:"staff"` // 0 for a command on the machine of the collector, or a program
	Role   string    `json:"role,omitempty"`
	Kind   string    `json:"kind"`
	Report string    `json:"report,omitempty"`

	StaffName string `json:"-"` // for the person's own page only
}

// staffNumbers numbers members of staff in the order in which they occur.
type staffNumbers map[string]int

func (n staffNumbers) of(name string) int {
	if name == "" {
		return 0
	}
	if n[name] == 0 {
		n[name] = len(n) + 1
	}
	return n[name]
}

// Collect reads everything about a participant but the documents of the reports.
func Collect(ctx context.Context, s Source, participantID string, now time.Time) (Person, error) {
	return CollectPart(ctx, s, participantID, now, Part{})
}

// CollectPart is Collect with a part of the checks and of the accesses. store.ErrBadCursor means that
// Part.After is invalid.
func CollectPart(ctx context.Context, s Source, participantID string, now time.Time, part Part) (p Person, err error) {
	stored, err := s.Participant(ctx, participantID)
	if err != nil {
		return p, err
	}
	p = Person{Schema: Schema, At: now.UTC(), ID: stored.ID, Name: stored.Name, Phone: stored.Phone, AddedAt: stored.CreatedAt, Blocked: stored.Blocked, Sources: []string{},
		Councils: []string{}, Computers: []Computer{}, Checks: []Check{}, Disturbances: []Disturbance{}, Accesses: []Access{}}
	councils, err := s.CouncilsOf(ctx, p.ID)
	if err != nil {
		return p, err
	}
	for _, c := range councils {
		p.Councils = append(p.Councils, c.Name)
	}
	marks, err := s.PersonMarks(ctx, p.ID)
	if err != nil {
		return p, err
	}
	p.WithoutCouncilSince = marks.WithoutCouncilSince
	for _, h := range marks.Sources {
		p.Sources = append(p.Sources, hex.EncodeToString(h[:]))
	}
	agents, err := s.Agents(ctx, p.ID)
	if err != nil {
		return p, err
	}
	for _, a := range agents {
		p.Computers = append(p.Computers, Computer{ID: a.ID, OS: a.OS, Arch: a.Arch, Version: a.Version, EnrolledAt: a.CreatedAt, LastSeenAt: a.LastSeenAt, RevokedAt: a.RevokedAt})
	}
	numbers := staffNumbers{}
	if err := p.addChecks(ctx, s, numbers, part); err != nil {
		return p, err
	}
	if err := p.addDisturbances(ctx, s); err != nil {
		return p, err
	}
	return p, p.addAccesses(ctx, s, numbers, part.Accesses)
}

func (p *Person) addChecks(ctx context.Context, s Source, numbers staffNumbers, part Part) error {
	for q := (store.ReportQuery{ParticipantID: p.ID, After: part.After, Limit: cmp.Or(part.Checks, store.MaxPage)}); ; {
		page, err := s.ParticipantReports(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Reports {
			work, err := s.Case(ctx, r.ID)
			if errors.Is(err, store.ErrNotFound) { // deleted meanwhile
				continue
			}
			if err != nil {
				return err
			}
			c := Check{Report: r.ID, Case: r.Case, Computer: r.AgentID, Trigger: string(r.Trigger), CheckedAt: r.CheckedAt, ReceivedAt: r.ReceivedAt,
				Verdict: string(r.Verdict), Cause: r.Primary.Code, State: string(work.State), TrueCause: work.Cause}
			for _, e := range work.Entries {
				c.Notes = append(c.Notes, Note{At: e.At, Staff: numbers.of(e.By), Kind: string(e.Kind), Text: e.Text, Cause: e.Cause, StaffName: e.By})
			}
			p.Checks = append(p.Checks, c)
		}
		if part.Checks > 0 {
			p.NextCheck = page.Next
			return nil
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

func (p *Person) addDisturbances(ctx context.Context, s Source) error {
	entries, err := s.PersonEntries(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, e := range entries {
		var head disturbance.Head
		var facts disturbance.Facts
		var person disturbance.Person
		if err := errors.Join(json.Unmarshal([]byte(e.Head), &head), json.Unmarshal([]byte(e.Text), &facts), json.Unmarshal([]byte(e.Person), &person)); err != nil {
			return fmt.Errorf("read entry %d of a disturbance record: %w", e.Number, err)
		}
		d := Disturbance{Session: e.SessionID, Council: head.Council, Title: head.Title, StartsAt: head.StartsAt, Number: e.Number, Kind: string(facts.Kind), At: facts.At,
			Role: string(person.Role), State: string(person.State), CheckedAt: person.CheckedAt, Text: person.Text}
		if person.Role == disturbance.RoleDisturbed { // otherwise it is that of somebody else
			d.Diagnosis = facts.Diagnosis
		}
		p.Disturbances = append(p.Disturbances, d)
	}
	return nil
}

func (p *Person) addAccesses(ctx context.Context, s Source, numbers staffNumbers, most int) error {
	for q := (store.AuditQuery{ParticipantID: p.ID, Limit: cmp.Or(most, store.MaxPage)}); ; {
		page, err := s.AuditEntries(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			p.Accesses = append(p.Accesses, Access{At: e.At, Staff: numbers.of(e.StaffName), Role: string(e.Role), Kind: string(e.Kind), Report: e.ReportID, StaffName: e.StaffName})
		}
		if most > 0 {
			p.MoreAccesses = page.Next != ""
			return nil
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}
