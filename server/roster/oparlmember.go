package roster

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// readMembers reads all members of an organization, at all times.
func (r *oparlReader) readMembers(ctx context.Context, o organization) error {
	if _, known := r.members[o.key]; known {
		return nil
	}
	base := r.base(o.object)
	list, err := r.membershipsOf(ctx, o, base)
	if err != nil {
		return err
	}
	var all []membership
	for _, m := range list {
		member, ok, err := r.member(ctx, base, o, m)
		if err != nil {
			return err
		}
		if ok {
			all = append(all, member)
		}
	}
	if len(list) == 0 {
		r.roster.missing("The server lists no members of %.100q.", o.text("name"))
	}
	r.members[o.key] = all
	return nil
}

// membershipsOf returns the memberships of an organization: those that it lists, or else those
// of the persons that refer to it.
func (r *oparlReader) membershipsOf(ctx context.Context, o organization, base *url.URL) ([]membershipOf, error) {
	var list []membershipOf
	if link, single := o.object["membership"].(string); single && link != "" { // a list with pages, or one membership
		objects, err := r.list(ctx, o.object, base, "membership")
		if err != nil && !r.skips(err) {
			return nil, err
		}
		for _, m := range objects {
			list = append(list, membershipOf{membership: m})
		}
	} else {
		for _, m := range embeddedList(o.object, "membership") {
			list = append(list, membershipOf{membership: m})
		}
	}
	for i, m := range list {
		if known, ok := r.memberships[r.key(base, m.membership.link("id"))]; ok && m.membership.link("id") != "" {
			if m.membership[referenceOnly] == true {
				list[i].membership = known.membership
			}
			list[i].person = known.person
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	if r.personsCutOff {
		r.roster.missing("The members of %.100q follow from the list of persons, which could not be read completely.", o.text("name"))
	}
	for _, m := range r.memberships {
		if refs := m.membership.references("organization"); len(refs) > 0 && r.key(base, refs[0].id) == o.key {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b membershipOf) int { return strings.Compare(a.membership.link("id"), b.membership.link("id")) })
	return list, nil
}

// member returns the member of a membership; ok is false if there is none.
func (r *oparlReader) member(ctx context.Context, base *url.URL, o organization, of membershipOf) (found membership, ok bool, err error) {
	id := of.membership.link("id")
	m, err := r.fullObject(ctx, base, of.membership)
	if r.skips(err) {
		r.roster.missing("A member of %.100q could not be read: %v.", o.text("name"), err)
		return found, false, nil
	} else if err != nil {
		return found, false, err
	}
	if m.flag("deleted") {
		return found, false, nil
	}
	if refs := m.references("organization"); len(refs) > 0 && refs[0].id != "" && r.key(base, refs[0].id) != o.key {
		r.roster.note("The membership %.200s is listed by %.100q but belongs to another organization.", id, o.text("name"))
		return found, false, nil
	}
	if found.first, ok = r.day(m, "startDate", o); !ok {
		return found, false, nil
	}
	if found.last, ok = r.day(m, "endDate", o); !ok {
		return found, false, nil
	}
	person, personKey, err := r.personOf(ctx, base, m, of.person)
	if r.skips(err) {
		r.roster.missing("A member of %.100q could not be read: %v.", o.text("name"), err)
		return found, false, nil
	} else if err != nil {
		return found, false, err
	}
	if person == nil || person.flag("deleted") {
		if person == nil {
			r.roster.missing("The membership %.200s of %.100q names no person.", id, o.text("name"))
		}
		return found, false, nil
	}
	name := cmp.Or(person.text("name"), strings.TrimSpace(person.text("givenName")+" "+person.text("familyName")))
	if name == "" {
		r.roster.missing("The person %.200s has no name.", personKey)
		return found, false, nil
	}
	found.Member = Member{Person: Person{ID: cmp.Or(personKey, name), Name: name, Phone: person.text("phone"), Email: person.text("email")}, Role: m.text("role")}
	return found, true, nil
}

// day returns a day of a membership; ok is false if it cannot be parsed, so that nobody
// counts as a member because of an unreadable end.
func (r *oparlReader) day(m object, key string, o organization) (t time.Time, ok bool) {
	text := m.link(key)
	if text == "" {
		return time.Time{}, true
	}
	switch t, _, parsed := parseTime(text, r.Local); {
	case parsed && plausible(t):
		return t, true
	case parsed: // 0001-01-01, 9999-12-31
		return time.Time{}, true
	}
	r.roster.missing("A membership of %.100q has an unreadable %s: %.40q.", o.text("name"), key, text)
	return time.Time{}, false
}

// personOf returns the person of a membership and their key; nil if there is none.
func (r *oparlReader) personOf(ctx context.Context, base *url.URL, m, owner object) (person object, key string, err error) {
	refs := m.references("person")
	if len(refs) == 0 {
		if owner == nil {
			return nil, "", nil
		}
		return owner, r.key(base, owner.link("id")), nil
	}
	ref := refs[0]
	if ref.id != "" {
		key = r.key(base, ref.id)
		if p, ok := r.persons[key]; ok {
			return p, key, nil
		}
	}
	if ref.embedded != nil {
		return ref.embedded, key, nil
	}
	person, err = r.request(ctx, base, ref.id)
	return person, key, err
}
