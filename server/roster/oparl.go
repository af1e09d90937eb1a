package roster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// OParl is an interface of a council information system, OParl 1.0 or 1.1.
type OParl struct {
	// URL is the address of the system, or of one of its bodies.
	URL    string
	Access Access
	// Organization selects one organization by its URL, name or short name; "" selects all that
	// meet within Window.
	Organization string
	Window       Window
	// Now is the time at which Organization.Members are members.
	Now time.Time
	// Local is the zone of times without one; it also decides on which day a meeting is.
	Local *time.Location
}

// Read reads the organizations, their meetings and their members. Members come from
// Organization.membership at the time of each meeting, never from Meeting.participant, which is
// filled only after the meeting.
func (o OParl) Read(ctx context.Context) (*Roster, error) {
	f, err := newFetcher(o.URL, o.Access)
	if err != nil {
		return nil, err
	}
	r := &oparlReader{OParl: o, fetch: f, roster: &Roster{Complete: true, Until: o.Window.Until}, requested: map[string]object{},
		persons: map[string]object{}, memberships: map[string]membershipOf{}, members: map[string][]membership{}}
	if err := r.read(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.origin.Redacted(), err)
	}
	return r.roster, nil
}

// oparlReader is one reading of an OParl server.
type oparlReader struct {
	OParl
	fetch     *fetcher
	roster    *Roster
	objects   int
	values    int
	requested map[string]object

	persons     map[string]object
	memberships map[string]membershipOf // of the persons
	members     map[string][]membership // of organizations, all times

	personsCutOff bool // persons may lack some, with their memberships
}

// membershipOf is a membership that is embedded in a person.
type membershipOf struct{ membership, person object }

// membership is a member with the first and the last day of the membership; zero for
// unlimited.
type membership struct {
	Member
	first, last time.Time
}

// organization is an organization with its key.
type organization struct {
	object
	key string
}

func (r *oparlReader) read(ctx context.Context) error {
	bodies, err := r.bodies(ctx)
	if err != nil {
		return err
	}
	var names []string
	found := 0
	for _, body := range bodies {
		all, err := r.organizations(ctx, body)
		if err != nil {
			return err
		}
		chosen := all
		if r.Organization != "" {
			chosen = slices.DeleteFunc(slices.Clone(all), func(o organization) bool { return !r.chosen(o) })
		}
		for _, o := range all {
			names = append(names, o.text("name"))
		}
		if found += len(chosen); r.Organization != "" && found > 1 {
			return fmt.Errorf("%d organizations have the name %.80q: give the URL of one of them", found, r.Organization)
		}
		if len(chosen) > 0 {
			if err := r.readBody(ctx, body, chosen); err != nil {
				return err
			}
		}
	}
	if found == 0 && r.Organization != "" {
		return fmt.Errorf("there is no organization %.80q, only: %s", r.Organization, listed(names))
	}
	slices.SortFunc(r.roster.Meetings, func(a, b Meeting) int { return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID)) })
	slices.SortFunc(r.roster.Organizations, func(a, b Organization) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return nil
}

// listed returns some of the names.
func listed(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 30
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func (r *oparlReader) chosen(o organization) bool {
	return o.key == r.key(r.fetch.origin, r.Organization) || strings.EqualFold(o.text("name"), strings.TrimSpace(r.Organization)) || strings.EqualFold(o.text("shortName"), strings.TrimSpace(r.Organization))
}

// bodies returns the municipalities of the system. The address may also be that of a body.
func (r *oparlReader) bodies(ctx context.Context) ([]object, error) {
	start, err := r.document(ctx, r.fetch.origin)
	if err != nil {
		return nil, err
	}
	switch {
	case start["organization"] != nil:
		return []object{start}, nil
	case start["data"] != nil:
		start["body"] = start["data"]
	case start["body"] == nil:
		return nil, fmt.Errorf("%w: it is neither an OParl system nor a body, which list bodies or organizations", ErrFormat)
	}
	list, err := r.list(ctx, start, r.fetch.origin, "body")
	if err != nil {
		return nil, err
	}
	var bodies []object
	for _, b := range list {
		if b, err = r.fullObject(ctx, r.fetch.origin, b); err != nil {
			return nil, err
		}
		if !b.flag("deleted") {
			bodies = append(bodies, b)
		}
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("%w: the system lists no body", ErrFormat)
	}
	return bodies, nil
}

func (r *oparlReader) organizations(ctx context.Context, body object) ([]organization, error) {
	base := r.base(body)
	list, err := r.list(ctx, body, base, "organization")
	if err != nil {
		return nil, err
	}
	var all []organization
	for _, o := range list {
		id := o.link("id")
		if o, err = r.fullObject(ctx, base, o); r.skips(err) {
			r.roster.missing("The organization %.200s could not be read: %v.", id, err)
			continue
		} else if err != nil {
			return nil, err
		}
		if id != "" && !o.flag("deleted") {
			all = append(all, organization{o, r.key(base, id)})
		}
	}
	return all, nil
}

// base is the address against which the links of an object are resolved.
func (r *oparlReader) base(o object) *url.URL {
	if u, err := r.fetch.resolve(r.fetch.origin, o.link("id")); err == nil {
		return u
	}
	return r.fetch.origin
}

// skips reports whether an error concerns a single object, so that others can still be
// read.
func (r *oparlReader) skips(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		return slices.Contains([]int{http.StatusForbidden, http.StatusNotFound, http.StatusGone}, status.status)
	}
	return errors.Is(err, ErrForeign) || errors.Is(err, ErrFormat)
}

// readBody reads the meetings of these organizations and their members.
func (r *oparlReader) readBody(ctx context.Context, body object, chosen []organization) error {
	if err := r.readPersons(ctx, body); err != nil {
		return err
	}
	byKey := map[string]organization{}
	for _, o := range chosen {
		byKey[o.key] = o
	}
	meetings, err := r.meetings(ctx, body, chosen)
	if err != nil {
		return err
	}
	meet := map[string]bool{}
	for _, m := range meetings {
		for _, id := range m.Organizations {
			meet[id] = true
		}
	}
	for _, o := range chosen {
		if !meet[o.key] && r.Organization == "" {
			continue
		}
		if err := r.readMembers(ctx, o); err != nil {
			return err
		}
		r.roster.Organizations = append(r.roster.Organizations, Organization{ID: o.key, Name: cmp.Or(o.text("name"), o.text("shortName"), o.key),
			Body: cmp.Or(body.text("name"), body.text("shortName")), Members: r.membersAt(r.Now, o.key)})
	}
	for _, m := range meetings {
		m.Members = r.membersAt(m.Start, m.Organizations...)
		r.roster.Meetings = append(r.roster.Meetings, m)
	}
	return nil
}

// readPersons reads the persons of a body, into whom memberships are embedded. That costs far
// fewer requests than one for each member and each membership.
func (r *oparlReader) readPersons(ctx context.Context, body object) error {
	base := r.base(body)
	list, err := r.list(ctx, body, base, personList)
	if r.skips(err) {
		return nil // each member is requested
	}
	if err != nil {
		return err
	}
	for _, p := range list {
		if p[referenceOnly] == true || p.link("id") == "" {
			continue
		}
		r.persons[r.key(base, p.link("id"))] = p
		for _, m := range p.references("membership") {
			if m.embedded != nil && m.id != "" {
				r.memberships[r.key(base, m.id)] = membershipOf{m.embedded, p}
			}
		}
	}
	return nil
}

// meetings returns the meetings of these organizations in the window.
func (r *oparlReader) meetings(ctx context.Context, body object, chosen []organization) ([]Meeting, error) {
	base := r.base(body)
	var found []Meeting
	seen := map[string]bool{}
	add := func(o object, of string) error {
		m, ok, err := r.meeting(ctx, base, o, of, chosen)
		if ok && !seen[m.ID] {
			seen[m.ID] = true
			found = append(found, m)
		}
		return err
	}
	if len(chosen) == 1 && chosen[0].object["meeting"] != nil || body["meeting"] == nil {
		for _, o := range chosen {
			list, err := r.list(ctx, o.object, r.base(o.object), "meeting")
			if err != nil {
				return nil, err
			}
			for _, m := range list {
				if err := add(m, o.key); err != nil {
					return nil, err
				}
			}
		}
		return found, nil
	}
	list, err := r.list(ctx, body, base, "meeting")
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if err := add(m, ""); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// meeting returns a meeting in the window of one of these organizations. of is the organization
// in whose list it is, "" for the list of the body.
func (r *oparlReader) meeting(ctx context.Context, base *url.URL, o object, of string, chosen []organization) (m Meeting, ok bool, err error) {
	id := o.link("id")
	if o, err = r.fullObject(ctx, base, o); r.skips(err) {
		r.roster.missing("The meeting %.200s could not be read: %v.", id, err)
		return m, false, nil
	} else if err != nil {
		return m, false, err
	}
	if id == "" || o.flag("deleted") {
		return m, false, nil
	}
	m.ID = r.key(base, id)
	var elsewhere bool
	for _, ref := range o.references("organization") {
		key := r.key(base, ref.id)
		if slices.ContainsFunc(chosen, func(c organization) bool { return c.key == key }) && !slices.Contains(m.Organizations, key) {
			m.Organizations = append(m.Organizations, key)
		}
		elsewhere = true
	}
	if !elsewhere && of != "" {
		m.Organizations = []string{of}
	}
	if len(m.Organizations) == 0 {
		return m, false, nil
	}
	start, day, ok := o.time("start", r.Local)
	if !ok {
		r.roster.missing("The meeting %.200s has an unreadable start: %.40q.", m.ID, o.link("start"))
		return m, false, nil
	}
	if !r.Window.contains(start) {
		return m, false, nil
	}
	if day {
		r.roster.missing("The meeting %.200s on %s has no time of day.", m.ID, start.Format("2006-01-02"))
		return m, false, nil
	}
	m.Start = start.UTC()
	if end, day, ok := o.time("end", r.Local); ok && !day && end.After(start) {
		m.End = end.UTC()
	}
	m.Cancelled = o.flag("cancelled") || calledOff(o.text("meetingState"))
	m.Name, m.Location = o.text("name"), locationText(o)
	if m.Name == "" {
		m.Name = r.nameOf(m.Organizations, chosen)
	}
	return m, true, nil
}

// calledOff reports whether a state of a meeting means that it does not take place.
func calledOff(state string) bool {
	state = strings.ToLower(state)
	return strings.Contains(state, "abgesagt") || strings.Contains(state, "entfällt") || strings.Contains(state, "ausgefallen") || strings.Contains(state, "cancel")
}

func (r *oparlReader) nameOf(keys []string, chosen []organization) string {
	var names []string
	for _, o := range chosen {
		if slices.Contains(keys, o.key) {
			names = append(names, o.text("name"))
		}
	}
	return tidy(strings.Join(names, ", "))
}

// locationText returns the place of a meeting. OParl 1.0 drafts had the address in the meeting.
func locationText(o object) string {
	where := o
	if refs := o.references("location"); len(refs) > 0 {
		if where = refs[0].embedded; where == nil {
			if strings.Contains(refs[0].id, "://") {
				return ""
			}
			return tidy(refs[0].id)
		}
	}
	var parts []string
	for _, key := range []string{"description", "room", "streetAddress", "postalCode", "locality"} {
		t := where.text(key)
		if t == "" || strings.Contains(strings.Join(parts, ", "), t) || key == "description" && len(where.references("location")) > 0 {
			continue
		}
		parts = append(parts, t)
	}
	return tidy(strings.Join(parts, ", "))
}

// membersAt returns those who are members of one of the organizations on the day of at, sorted by
// name.
func (r *oparlReader) membersAt(at time.Time, keys ...string) []Member {
	members := []Member{}
	for _, key := range keys {
		for _, m := range r.members[key] {
			if !m.on(at.In(r.Local)) {
				continue
			}
			if i := slices.IndexFunc(members, func(other Member) bool { return other.ID == m.ID }); i < 0 {
				members = append(members, m.Member)
			} else {
				members[i].Role = cmp.Or(members[i].Role, m.Role)
			}
		}
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	return members
}

// on reports whether the membership includes the day of t. Its first and its last day count.
func (m membership) on(t time.Time) bool {
	const day = "2006-01-02"
	at := t.Format(day)
	return (m.first.IsZero() || m.first.In(t.Location()).Format(day) <= at) && (m.last.IsZero() || at <= m.last.In(t.Location()).Format(day))
}
