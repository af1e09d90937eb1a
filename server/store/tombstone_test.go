package store_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/server/store"
)

func TestErasedNameKey(t *testing.T) {
	for _, same := range [][]string{
		{"Jörg Müller", "Joerg Mueller", "MÜLLER, Jörg", " Müller ,  Jörg ", "Dr. Jörg Müller", "Müller, Dr. Jörg", "Herr Prof. Dr. h. c. Jörg Müller", "Prof.Dr. Müller, Jörg", "Dr.-Ing. Jörg Müller (SPD)", "Jörg Müller, Dipl.-Ing.", "Herrn Dr. med. Jörg Müller"},
		{"Anna Müller-Groß", "Anna Müller Gross", "Mueller–Gross, Anna"},
		{"Anna von der Heide", "von der Heide, Anna"},
		{"Phil Meier", "Meier, Dr. phil. Phil"},
		{"C. Muster", "Muster, C."},
	} {
		for _, name := range same[1:] {
			if got, want := store.ErasedNameKey(name), store.ErasedNameKey(same[0]); got != want {
				t.Errorf("%q: got %q, want %q as of %q", name, got, want, same[0])
			}
		}
	}
	for _, other := range [][2]string{{"Anna Muster", "Berta Muster"}, {"Anna Muster", "Anna Musterfrau"}, {"A. Muster", "C. Muster"}, {"Phil Meier", "Meier"}, {"Frau", "Herr"}, {"(", "["}} {
		if key := store.ErasedNameKey(other[0]); key == store.ErasedNameKey(other[1]) {
			t.Errorf("%q and %q: got %q for both", other[0], other[1], key)
		}
	}
}

func TestNamesPerson(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{"Frau Muster war nicht zu hören", "Anna Muster", true},
		{"MUSTER: kein Ton", "Muster, Anna", true},
		{"Musters Mikrofon war stumm", "Anna Muster", true},
		{`{"role":"remark","text":"Herr Müller-Lüdenscheidt ging"}`, "Max Müller-Lüdenscheidt", true},
		{"Herr Müller ging", "Max Müller-Lüdenscheidt", false},
		{"Hans' Verbindung", "Klaus Hans", true},
		{"nach dem Musterbrief", "Anna Muster", false},
		{"Anna kam wieder", "Anna Muster", false},
		{"Frau von der Leyen", "Ursula von der Leyen", true},
		{"Groß", "Eva Gross", true},
		{"Frau Muster ging", "Anna Muster (SPD)", true},
		{"die SPD ging", "Anna Muster (SPD)", false},
		{"", "Anna Muster", false},
		{"Uhrzeit 19:40", "", false},
		{"Uhrzeit 19:40", "-", false},
	} {
		if got := store.NamesPerson(c.text, c.name); got != c.want {
			t.Errorf("%q, %q: got %v, want %v", c.text, c.name, got, c.want)
		}
	}
}

// TestRemarkNames: the syntax of JSON neither names nor hides anybody.
func TestRemarkNames(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{`,"text":"Frau Muster war nicht zu hören","salt":"00"}`, "Anna Muster", true},
		{`,"text":"18:05 \u003eMuster\u003c kein Ton","salt":"00"}`, "Anna Muster", true},
		{`,"text":"um 18:05\nMuster kam wieder","salt":"00"}`, "Anna Muster", true},
		{`,"text":"kein Ton","salt":"00"}`, "Anna Text", false},
		{`,"text":"kein Ton","salt":"00"}`, "Anna Salt", false},
		{`,"text":"Frau Muster`, "Anna Muster", true}, // not JSON
	} {
		if got := store.RemarkNames(store.RemarkPrefix+c.text, c.name); got != c.want {
			t.Errorf("%s, %q: got %v, want %v", c.text, c.name, got, c.want)
		}
	}
}

func TestTombstonesDependOnKeyAndKind(t *testing.T) {
	a := store.TombstoneOf([]byte("k"), store.TombstoneAgent, "1")
	for what, other := range map[string]store.Hash{
		"key":  store.TombstoneOf([]byte("l"), store.TombstoneAgent, "1"),
		"kind": store.TombstoneOf([]byte("k"), store.TombstoneParticipant, "1"),
		"id":   store.TombstoneOf([]byte("k"), store.TombstoneAgent, "2"),
	} {
		if a == other {
			t.Errorf("another %s gave the same tombstone", what)
		}
	}
	if p := store.Pseudonym(a); !store.IsPseudonym(p) || store.IsPseudonym("x") {
		t.Errorf("got pseudonym %q, want it recognised, and x not", p)
	}
}
