package intake_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/intake"
	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func newImporter(t *testing.T) (intake.Importer, *sqlstore.Store) {
	t.Helper()
	s := sqlitetest.Open(t)
	return intake.Importer{Store: s, Enroll: enroll.Enroller{Store: s, Now: func() time.Time { return now }, Random: rand.Reader}}, s
}

func entries(t *testing.T, table string) []roster.Entry {
	t.Helper()
	list, err := roster.ReadPeople([]byte(table))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// people returns all participants, and the members of a council.
func people(t *testing.T, s *sqlstore.Store, council string) (all, members string) {
	t.Helper()
	page, err := s.ParticipantStates(t.Context(), store.StateQuery{Limit: store.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	names := func(list []store.ParticipantState) string {
		var n []string
		for _, p := range list {
			n = append(n, p.Name)
		}
		slices.Sort(n)
		return strings.Join(n, ", ")
	}
	c, err := s.CouncilNamed(t.Context(), council)
	if errors.Is(err, store.ErrNotFound) {
		return names(page.States), ""
	}
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := s.CouncilMembers(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	return names(page.States), names(list)
}

func TestTable(t *testing.T) {
	d, s := newImporter(t)
	const table = "Name;Telefon;Gremium\nAnna Muster;0228 1234567;Rat\nMUSTER, Anna;+49 228 1234567;Rat\nBernd;;\nCem Öz;0228 1234567;Bau\n"
	plan, err := d.Table(t.Context(), entries(t, table), "Rat")
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := people(t, s, "Rat"); all != "" {
		t.Errorf("a plan added %q", all)
	}
	if err := d.Apply(t.Context(), plan, true); err != nil {
		t.Fatal(err)
	}
	if all, _ := people(t, s, "Rat"); all != "" {
		t.Errorf("a dry run added %q", all)
	}
	if err := d.Apply(t.Context(), plan, false); err != nil {
		t.Fatal(err)
	}
	all, members := people(t, s, "Rat")
	if all != "Anna Muster, Bernd, Cem Öz" || members != "Anna Muster, Bernd" {
		t.Errorf("got participants %q, members %q; want %q, %q", all, members, "Anna Muster, Bernd, Cem Öz", "Anna Muster, Bernd")
	}
	if p := plan.People[1]; !p.Known || p.Line != 3 {
		t.Errorf("the second Anna: got %+v, want a known one", p)
	}
	if p := plan.People[3]; p.Known || !slices.Equal(p.SharesPhone, []string{"Anna Muster"}) {
		t.Errorf("got %+v, want a new one with the same telephone", p)
	}
	if _, err := d.Enroll.Accept(t.Context(), plan.People[0].Invitation.Code, enroll.Applicant{}); err != nil {
		t.Errorf("the code: got error %v, want none", err)
	}

	// Again: nobody is new, and nobody leaves.
	again, err := d.Table(t.Context(), entries(t, "Name;Telefon\nAnna Muster;\nanna muster;0228/1234567\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(t.Context(), again, false); err != nil {
		t.Fatal(err)
	}
	if all, members := people(t, s, "Rat"); all != "Anna Muster, Bernd, Cem Öz" || members != "Anna Muster, Bernd" {
		t.Errorf("second import: got participants %q, members %q; want %q, %q", all, members, "Anna Muster, Bernd, Cem Öz", "Anna Muster, Bernd")
	}
}

// TestTableAllOrNothing: each invalid line is reported, and no valid one is imported.
func TestTableAllOrNothing(t *testing.T) {
	d, s := newImporter(t)
	for _, name := range []string{"Zwei", "Zwei"} {
		if _, err := d.Enroll.Invite(t.Context(), name, ""); err != nil {
			t.Fatal(err)
		}
	}
	table := "Name;Telefon;Gremium\nAnna;1;\nA\u202eB;;\nCem;" + strings.Repeat("1", 50) + ";\nZwei;;\nDora;;" + strings.Repeat("x", 300) + "\n"
	_, err := d.Table(t.Context(), entries(t, table), "")
	wrong, ok := errors.AsType[*roster.TableError](err)
	if !ok {
		t.Fatalf("got error %v, want a table error", err)
	}
	var lines []int
	for _, p := range wrong.Problems {
		lines = append(lines, p.Line)
	}
	if !slices.Equal(lines, []int{3, 4, 5, 6}) {
		t.Errorf("got lines %v: %v, want 3 to 6", lines, err)
	}
	if all, _ := people(t, s, ""); all != "Zwei, Zwei" {
		t.Errorf("got participants %q, want %q", all, "Zwei, Zwei")
	}
}

// TestErasedPeopleAreLeftOut: neither a table nor a roster adds an erased person again, unless asked to.
func TestErasedPeopleAreLeftOut(t *testing.T) {
	d, s := newImporter(t)
	plan := func(p *intake.Plan, err error) *intake.Plan {
		t.Helper()
		if err == nil {
			err = d.Apply(t.Context(), p, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := func(p *intake.Plan, left, all, members string) {
		t.Helper()
		var names []string
		for _, e := range p.Erased {
			names = append(names, e.Name)
			if !e.ErasedAt.Equal(now) {
				t.Errorf("%s: got time %v, want %v", e.Name, e.ErasedAt, now)
			}
		}
		gotAll, gotMembers := people(t, s, "Rat")
		if got := strings.Join(names, "; "); got != left || gotAll != all || gotMembers != members {
			t.Errorf("got left out %q, participants %q, members %q; want %q, %q, %q", got, gotAll, gotMembers, left, all, members)
		}
	}
	plan(d.OParl(t.Context(), evening(true, "Anna Groß", "Bernd", "Cem"), ""))
	for _, name := range []string{"Anna Groß", "Bernd"} {
		found, err := d.Enroll.Duplicates(t.Context(), name, "", "")
		if err != nil || len(found) != 1 {
			t.Fatalf("got %+v, error %v; want 1 participant", found, err)
		}
		if err := s.DeleteParticipant(t.Context(), found[0].ID, now); err != nil {
			t.Fatal(err)
		}
	}
	want(plan(d.OParl(t.Context(), evening(true, "Anna Groß", "Bernd", "Cem"), "")), "Anna Groß; Bernd", "Cem", "Cem")
	table := plan(d.Table(t.Context(), entries(t, "Titel;Nachname;Vorname;Gremium\nDr.;GROSS;Anna;Rat\n;Neu;Dora;Rat\n"), ""))
	want(table, "Dr. Anna GROSS", "Cem, Dora Neu", "Cem, Dora Neu")
	if table.Erased[0].Line != 2 {
		t.Errorf("got line %d, want 2", table.Erased[0].Line)
	}
	// The erased person has a new name but the same id; a current participant also has a new name.
	renamed := evening(true, "Anna Groß", "Cem")
	renamed.Meetings[0].Members[0].Name, renamed.Meetings[0].Members[1].Name = "Anna Klein", "Cem Öz"
	want(plan(d.OParl(t.Context(), renamed, "")), "Anna Klein", "Cem, Dora Neu", "Cem")
	// Added by hand, which needs no permission; then imports know the person.
	if _, err := d.Enroll.Invite(t.Context(), "Bernd", ""); err != nil {
		t.Fatal(err)
	}
	want(plan(d.OParl(t.Context(), evening(true, "Anna Groß", "Bernd", "Cem"), "")), "Anna Groß", "Bernd, Cem, Dora Neu", "Bernd, Cem")
	d.Again = true
	want(plan(d.OParl(t.Context(), evening(true, "Anna Groß", "Bernd", "Cem"), "")), "", "Anna Groß, Bernd, Cem, Dora Neu", "Anna Groß, Bernd, Cem")
	d.Again = false
	want(plan(d.OParl(t.Context(), evening(true, "Anna Groß", "Bernd", "Cem"), "")), "", "Anna Groß, Bernd, Cem, Dora Neu", "Anna Groß, Bernd, Cem")
}

func member(name string) roster.Member {
	return roster.Member{Person: roster.Person{ID: "https://ris.example/p/" + name, Name: name}}
}

// evening returns a roster of the council with one session.
func evening(complete bool, names ...string) *roster.Roster {
	var members []roster.Member
	for _, n := range names {
		members = append(members, member(n))
	}
	return &roster.Roster{Complete: complete,
		Organizations: []roster.Organization{{ID: "https://ris.example/o/1", Name: "Rat", Body: "Stadt", Members: []roster.Member{member("Von Gestern")}}},
		Meetings: []roster.Meeting{{ID: "https://ris.example/m/1", Name: "1. Sitzung", Start: now.Add(48 * time.Hour),
			Organizations: []string{"https://ris.example/o/1"}, Members: members}}}
}

func TestRosters(t *testing.T) {
	d, s := newImporter(t)
	apply := func(r *roster.Roster) intake.Council {
		t.Helper()
		plan, err := d.OParl(t.Context(), r, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(t.Context(), plan, false); err != nil {
			t.Fatal(err)
		}
		return plan.Councils[0]
	}
	c := apply(evening(true, "Anna", "Bernd"))
	if !c.New || c.Result != (store.ImportResult{Added: 1}) {
		t.Errorf("got %+v, want a new council with 1 added", c)
	}
	c = apply(evening(true, "Anna", "Bernd"))
	if c.New || c.Result != (store.ImportResult{Unchanged: 1}) || len(c.Joined)+len(c.Left) > 0 {
		t.Errorf("second import: got %+v, want one unchanged participant and nobody who joined or left", c)
	}
	// The source could not be read completely: nobody leaves, and no session is cancelled.
	part := evening(false, "Anna", "Cem")
	part.Meetings[0].ID = "https://ris.example/m/2"
	if c = apply(part); c.Result != (store.ImportResult{Added: 1}) || !slices.Equal(c.Joined, []string{"Cem"}) || len(c.Left) > 0 {
		t.Errorf("incomplete: got %+v; want Result %v, Joined [Cem], Left none", c, (store.ImportResult{Added: 1}))
	}
	if c = apply(evening(true, "Anna", "Cem")); !slices.Equal(c.Left, []string{"Bernd"}) || c.Result != (store.ImportResult{Unchanged: 1, Cancelled: 1}) {
		t.Errorf("complete: got %+v; want Left [Bernd], Result %v", c, (store.ImportResult{Unchanged: 1, Cancelled: 1}))
	}
	if all, members := people(t, s, "Rat"); all != "Anna, Bernd, Cem" || members != "Anna, Cem" {
		t.Errorf("got participants %q, members %q; want %q, %q", all, members, "Anna, Bernd, Cem", "Anna, Cem")
	}
	if _, err := d.OParl(t.Context(), &roster.Roster{Organizations: make([]roster.Organization, 2)}, "Rat"); err == nil {
		t.Error("two organizations were merged into one council")
	}
	plan, err := d.Calendar(t.Context(), &roster.Roster{Complete: true, Meetings: []roster.Meeting{{ID: strings.Repeat("x", 2000), Name: "S", Start: now.Add(time.Hour), End: now.Add(72 * time.Hour)}}}, "Rat", "file")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(t.Context(), plan, false); err != nil || plan.Councils[0].Result.Added != 1 || len(plan.Notes) != 1 {
		t.Errorf("got %+v, error %v; want one added participant and one note", plan, err)
	}
}

// TestTwoTermsOfOneCouncil: before an election, the source has the organization of the old term and later
// also that of the new one, with the same name. The council of another body has this name, too.
func TestTwoTermsOfOneCouncil(t *testing.T) {
	d, s := newImporter(t)
	const old, next = "https://ris.example/o/1", "https://ris.example/o/2"
	source := func() *roster.Roster {
		meeting := func(id string, days int, organizations []string, members ...roster.Member) roster.Meeting {
			return roster.Meeting{ID: "https://ris.example/m/" + id, Name: id, Start: now.AddDate(0, 0, days), Organizations: organizations, Members: members}
		}
		return &roster.Roster{Complete: true,
			Organizations: []roster.Organization{{ID: old, Name: "Rat", Body: "Stadt", Members: []roster.Member{member("Anna")}}, {ID: next, Name: "Rat", Body: "Stadt"}},
			Meetings: []roster.Meeting{
				meeting("last", 2, []string{old}, member("Anna"), member("Bernd")),
				meeting("first", 9, []string{next}, member("Bernd"), member("Cem")),
				meeting("both", 10, []string{old, next}, member("Anna"), member("Bernd"), member("Cem")),
			}}
	}
	alone := source()
	alone.Organizations, alone.Meetings = alone.Organizations[:1], alone.Meetings[:1]
	plan, err := d.OParl(t.Context(), alone, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(t.Context(), plan, false); err != nil {
		t.Fatal(err)
	}
	for n, want := range []store.ImportResult{{Added: 2, Unchanged: 1}, {Unchanged: 3}, {Unchanged: 3}} {
		plan, err := d.OParl(t.Context(), source(), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(t.Context(), plan, false); err != nil {
			t.Fatal(err)
		}
		if len(plan.Councils) != 1 || plan.Councils[0].Result != want || len(plan.Councils[0].Left) > 0 || len(plan.Notes) != 1 {
			t.Errorf("import %d: got councils %+v, notes %q; want one with %+v", n+1, plan.Councils, plan.Notes, want)
		}
		if all, members := people(t, s, "Rat"); all != "Anna, Bernd, Cem" || members != all {
			t.Errorf("import %d: got participants %q, members %q; want Anna, Bernd, Cem", n+1, all, members)
		}
		page, err := s.CouncilSessions(t.Context(), store.SessionQuery{From: now})
		if err != nil || len(page.Sessions) != 3 {
			t.Errorf("import %d: got sessions %+v, error %v; want 3", n+1, page.Sessions, err)
		}
	}
	both := source()
	both.Organizations = append(both.Organizations, roster.Organization{ID: "https://ris.example/o/3", Name: "Rat", Body: "Kreis"})
	if plan, err = d.OParl(t.Context(), both, ""); err != nil {
		t.Fatal(err)
	}
	if len(plan.Councils) != 2 || plan.Councils[0].Name != "Rat" || plan.Councils[1].Name != "Rat (Kreis)" {
		t.Errorf("two bodies: got councils %+v, want Rat and Rat (Kreis)", plan.Councils)
	}
	other, _ := newImporter(t)
	if plan, err = other.OParl(t.Context(), both, ""); err != nil {
		t.Fatal(err)
	}
	if len(plan.Councils) != 2 || plan.Councils[0].Name != "Rat (Stadt)" || plan.Councils[1].Name != "Rat (Kreis)" {
		t.Errorf("two bodies at first: got councils %+v, want Rat (Stadt) and Rat (Kreis)", plan.Councils)
	}
}

// TestFormerIdentifiers: a session that an earlier version stored with the beginning of its long identifier is
// the same one, unless several identifiers begin with it.
func TestFormerIdentifiers(t *testing.T) {
	d, s := newImporter(t)
	begin := strings.Repeat("0", 200)
	council := store.Council{ID: uuid.NewString(), Name: "Rat", CreatedAt: now}
	if err := s.AddCouncil(t.Context(), council); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 6, 2, 16, 0, 0, 0, time.UTC)
	var stored []store.CouncilSession
	for n := range 2 {
		at := start.AddDate(0, 0, n)
		stored = append(stored, store.CouncilSession{Title: "Rat", StartsAt: at, SourceUID: begin + "/" + at.Format("20060102T150405Z")})
	}
	if _, err := s.UpsertSessions(t.Context(), council.ID, "ics:file", stored, now); err != nil {
		t.Fatal(err)
	}
	event := func(uid string) string {
		return "BEGIN:VEVENT\nUID:" + uid + "\nSUMMARY:Rat\nDTSTART:20260602T160000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n"
	}
	one := event(begin + "1")
	for n, c := range []struct {
		events string
		want   store.ImportResult
	}{
		{one, store.ImportResult{Unchanged: 2}},
		{one + one, store.ImportResult{Unchanged: 2}},
		{one + event(begin+"2"), store.ImportResult{Added: 4, Cancelled: 2}},
	} {
		calendar := roster.Calendar{Window: roster.Window{From: now, Until: now.AddDate(1, 0, 0)}, Local: time.UTC}
		r, err := calendar.Read([]byte("BEGIN:VCALENDAR\n" + c.events + "END:VCALENDAR\n"))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := d.Calendar(t.Context(), r, "Rat", "file")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(t.Context(), plan, false); err != nil {
			t.Fatal(err)
		}
		if plan.Councils[0].Result != c.want {
			t.Errorf("import %d: got %+v, want %+v", n+1, plan.Councils[0].Result, c.want)
		}
	}
}

// TestPhoneNumbersThatAreTexts: a member is imported without a phone number that cannot be stored.
func TestPhoneNumbersThatAreTexts(t *testing.T) {
	d, s := newImporter(t)
	r := evening(true, "Anna", "Bernd")
	r.Meetings[0].Members[0].Phone = "0228 5550101 (dienstlich), 0170 5550102 (nur abends)"
	for n, notes := range []int{1, 0} {
		plan, err := d.OParl(t.Context(), r, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(t.Context(), plan, false); err != nil {
			t.Fatal(err)
		}
		if _, members := people(t, s, "Rat"); members != "Anna, Bernd" || !plan.Complete || len(plan.Notes) != notes {
			t.Errorf("import %d: got members %q, complete %v, notes %q; want Anna, Bernd and %d notes", n+1, members, plan.Complete, plan.Notes, notes)
		}
		r.Meetings[0].Members[0].Phone = ""
	}
}

// TestLongIdentifiers: an identifier that is shortened remains valid UTF-8, which PostgreSQL demands.
func TestLongIdentifiers(t *testing.T) {
	d, _ := newImporter(t)
	id := "x" + strings.Repeat("ü", 300)
	plan, err := d.Calendar(t.Context(), &roster.Roster{Complete: true, Meetings: []roster.Meeting{{ID: id, Name: "S", Start: now.Add(time.Hour)}}}, "Rat", id)
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Councils[0].Sessions[0].SourceUID; !utf8.ValidString(got) {
		t.Errorf("got the identifier %q", got)
	}
}
