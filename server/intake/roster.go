package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store"
)

// OParl plans the import of a roster from a council information system. council is the name of the
// council for its only organization, "" to name each as its organization.
//
// The members of a council become those of the source at the next session: others leave it, but
// remain participants with their reports. Sessions of the source that have vanished are cancelled.
//
// Organizations with the same name are one council with the members of all: before an election, the
// source has the council of the old and that of the new term.
func (d Importer) OParl(ctx context.Context, r *roster.Roster, council string) (*Plan, error) {
	if council != "" && len(r.Organizations) != 1 {
		return nil, &store.InputError{Problem: fmt.Sprintf("the source has %d organizations with sessions: choose the one for %q", len(r.Organizations), council)}
	}
	p := d.planner()
	p.plan.Complete, p.plan.Notes = r.Complete, slices.Clone(r.Notes)
	var names []string
	members := map[string][]roster.Member{} // by the name of the council
	organizations := map[string][]roster.Organization{}
	for _, o := range r.Organizations {
		name, err := p.nameOf(ctx, o, r.Organizations, council)
		if err != nil {
			return nil, err
		}
		if organizations[name] == nil {
			names = append(names, name)
		}
		organizations[name] = append(organizations[name], o)
		for _, m := range membersOf(r, o, d.Enroll.Now()) {
			if !slices.ContainsFunc(members[name], func(other roster.Member) bool { return other.ID == m.ID }) {
				members[name] = append(members[name], m)
			}
		}
	}
	for _, name := range names {
		if err := p.replace(ctx, name, members[name]); err != nil {
			return nil, err
		}
		if n := len(organizations[name]); n > 1 {
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("%d organizations of the source are the council %.100q, with the members of all.", n, name))
		}
		for _, o := range organizations[name] {
			if err := p.sessions(ctx, name, sourceOf(o), meetingsOf(r, o), r.Until, nil); err != nil {
				return nil, err
			}
		}
	}
	return p.plan, nil
}

// meetingsOf returns the meetings of an organization.
func meetingsOf(r *roster.Roster, o roster.Organization) (meetings []roster.Meeting) {
	for _, m := range r.Meetings {
		if slices.Contains(m.Organizations, o.ID) {
			meetings = append(meetings, m)
		}
	}
	return meetings
}

// membersOf returns the members of an organization at its next meeting, or at present if there is none.
func membersOf(r *roster.Roster, o roster.Organization, now time.Time) []roster.Member {
	for _, m := range meetingsOf(r, o) {
		if !m.Cancelled && m.Start.After(now) && len(m.Organizations) == 1 {
			return m.Members
		}
	}
	return o.Members
}

// Calendar plans the import of the sessions of a council from a calendar. source names the
// calendar: the sessions of an earlier import from the same one are changed.
func (d Importer) Calendar(ctx context.Context, r *roster.Roster, council, source string) (*Plan, error) {
	p := d.planner()
	p.plan.Complete, p.plan.Notes = r.Complete, slices.Clone(r.Notes)
	p.plan.Unread = len(r.Unread) > 0
	return p.plan, p.sessions(ctx, council, "ics:"+source, r.Meetings, r.Until, newUnread(r.Unread))
}

func sourceOf(o roster.Organization) string { return "oparl:" + o.ID }

// nameOf returns the name of an organization's council: the name given by an earlier
// import or by staff, otherwise the requested one, otherwise that of an organization with the
// same name and body, otherwise its own. If several bodies have organizations with this name,
// the name of the body is appended.
func (p *planner) nameOf(ctx context.Context, o roster.Organization, all []roster.Organization, wanted string) (string, error) {
	if wanted != "" {
		return wanted, nil
	}
	same := []roster.Organization{o}
	name := o.Name
	for _, other := range all {
		switch {
		case other.ID == o.ID || other.Name != o.Name:
		case other.Body == o.Body:
			same = append(same, other)
		default:
			name = o.Name + " (" + o.Body + ")"
		}
	}
	for _, one := range same {
		known, err := p.Store.CouncilOfSource(ctx, short(sourceOf(one)))
		if err == nil {
			return known.Name, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
	}
	return name, nil
}

// replace plans to make these the members of a council.
func (p *planner) replace(ctx context.Context, name string, members []roster.Member) error {
	c, err := p.council(ctx, name)
	if err != nil {
		return err
	}
	present, err := p.members(ctx, c)
	if err != nil {
		return err
	}
	change := store.MemberChange{CouncilID: c.ID}
	seen := map[string]string{} // the source's id of each participant
	for _, m := range members {
		source := ""
		if m.ID != m.Name { // a person without an id
			source = "oparl:" + m.ID
		}
		one, err := p.person(ctx, m.Name, m.Phone, source)
		if input, ok := errors.AsType[*enroll.InputError](err); ok && m.Phone != "" {
			// A text with several numbers is no reason to leave out a member.
			if one, err = p.person(ctx, m.Name, "", source); err == nil {
				p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("The telephone number of %.100q is not imported: %s.", m.Name, input.Problem))
			}
		}
		if gone, ok := errors.AsType[*erasedError](err); ok {
			p.leaveOut(Erased{Name: m.Name, ErasedAt: gone.at})
			continue
		}
		if input, ok := errors.AsType[*enroll.InputError](err); ok {
			p.plan.Complete = false
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("%.100q is not imported: %s.", m.Name, input.Problem))
			continue
		}
		if errors.Is(err, errAmbiguous) {
			p.plan.Complete = false
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("%.100q is not imported: %v.", m.Name, err))
			continue
		}
		if err != nil {
			return err
		}
		id := one.Invitation.Participant.ID
		if other, twice := seen[id]; twice && other != m.ID {
			p.plan.Complete = false
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("%.100q occurs twice, and no telephone number distinguishes them: one is not imported.", m.Name))
			continue
		}
		seen[id] = m.ID
		if source != "" {
			p.plan.change.Sources = append(p.plan.change.Sources, store.ParticipantSource{ParticipantID: id, SourceID: source})
		}
		one.Email, one.Council = m.Email, name
		p.plan.People = append(p.plan.People, one)
		if _, already := present[id]; already {
			delete(present, id)
		} else if !slices.Contains(change.Add, id) {
			change.Add = append(change.Add, id)
			c.Joined = append(c.Joined, one.Invitation.Participant.Name)
		}
	}
	if p.plan.Complete {
		for id, gone := range present {
			change.Remove = append(change.Remove, id)
			c.Left = append(c.Left, gone.Name)
		}
		slices.Sort(c.Left)
	}
	if len(change.Add)+len(change.Remove) > 0 {
		p.plan.change.Members = append(p.plan.change.Members, change)
	}
	return nil
}

// sessions plans the sessions of one source in a council. Those of unread events remain.
func (p *planner) sessions(ctx context.Context, name, source string, meetings []roster.Meeting, until time.Time, events *unread) error {
	c, err := p.council(ctx, name)
	if err != nil {
		return err
	}
	var sessions []store.CouncilSession
	former := map[string]string{}
	for _, m := range meetings {
		if slices.ContainsFunc(c.Sessions, func(other store.CouncilSession) bool { return other.SourceUID == short(m.ID) }) {
			continue // a meeting of two organizations that are one council
		}
		if m.FormerID != "" {
			former[short(m.ID)] = short(m.FormerID)
		}
		s := store.CouncilSession{Title: m.Name, StartsAt: m.Start, EndsAt: m.End, Place: m.Location, Cancelled: m.Cancelled, SourceUID: short(m.ID)}
		if s.EndsAt.Sub(s.StartsAt) > store.MaxSessionLength {
			s.EndsAt = time.Time{}
			p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("The session %.60q lasts more than %d hours: its end is not imported.", m.Name, store.MaxSessionLength/time.Hour))
		}
		sessions = append(sessions, s)
	}
	c.Sessions = append(c.Sessions, sessions...)
	p.plan.change.Sessions = append(p.plan.change.Sessions, store.SessionImport{CouncilID: c.ID, Source: short(source), Sessions: sessions, Former: former, KeepMissing: !p.plan.Complete, Until: until, Keep: events.has})
	return nil
}

// short returns an identifier in the length that the store keeps: a hash of a long one.
func short(id string) string {
	const most = 400
	if len(id) <= most {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return strings.ToValidUTF8(id[:most/2], "") + "#" + hex.EncodeToString(sum[:])
}
