package enroll

import (
	"fmt"
	"strings"
	"testing"
)

func TestDuplicates(t *testing.T) {
	d, _, _ := newEnroller(t)
	id := map[string]string{}
	for _, p := range []struct{ name, phone string }{
		{"Jörg Müller", "0228 5550101"}, {"Anna Muster", "+49 (0)221 77-88 99"}, {"Anna Musterfrau", ""}, {"René Groß", "0049 30 123456"}, {"Cem", "12"},
	} {
		i, err := d.Invite(t.Context(), p.name, p.phone)
		if err != nil {
			t.Fatal(err)
		}
		id[p.name] = i.Participant.ID
	}
	for _, c := range []struct{ name, phone, except, want string }{
		{"Joerg Mueller", "", "", "Jörg Müller: name"},
		{"MÜLLER, JÖRG", "", "", "Jörg Müller: name"},
		{"Jorg  Muller", "", "", "Jörg Müller: name"},
		{"Jörg Müller", "", "Jörg Müller", ""},
		{"Jörg Müller", "0228/5550101", "", "Jörg Müller: name phone"},
		{"Jörg Müllers", "", "", ""},
		{"Anna", "", "", ""},
		{"Anna Muster", "0228 5550101", "", "Anna Muster: name; Jörg Müller: phone"},
		{"Neu", "+49 228 5550101", "", "Jörg Müller: phone"},
		{"Neu", "0221 778899", "", "Anna Muster: phone"},
		{"Neu", "030-123456", "", "René Groß: phone"},
		{"Rene Gross", "030-12345", "", "René Groß: name"},
		{"Neu", "12", "", ""},
		{"Neu", "", "", ""},
		{"Anna Muster", "0221 778899", "Anna Muster", ""},
		{"Anna Muster", "0228 5550101", "Anna Muster", "Jörg Müller: phone"},
	} {
		found, err := d.Duplicates(t.Context(), c.name, c.phone, id[c.except])
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			what := f.Name + ":"
			if f.SameName {
				what += " name"
			}
			if f.SamePhone {
				what += " phone"
			}
			got = append(got, what)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%q %q except %q: got %q, want %q", c.name, c.phone, c.except, got, c.want)
		}
	}
	if _, err := d.Duplicates(t.Context(), "a\nb", "", ""); err == nil {
		t.Error("an invalid name was accepted")
	}
}

// TestDuplicatesBehindManyOthers: the name is a part of more names than fit on one page of the
// store.
func TestDuplicatesBehindManyOthers(t *testing.T) {
	d, _, _ := newEnroller(t)
	for n := range 520 {
		invite(t, d, fmt.Sprintf("Anna A%03d", n))
	}
	last := invite(t, d, "Anna")
	if found, err := d.Duplicates(t.Context(), "anna", "", ""); err != nil || len(found) != 1 || found[0].ID != last.Participant.ID {
		t.Errorf("got %+v, error %v; want 1 entry, [0].ID %v", found, err, last.Participant.ID)
	}
}
