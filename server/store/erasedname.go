package store

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Tombstones with a day, which are kept for a period: they prevent an import from adding an erased
// person again. A name has few spellings, so whoever has the key can test whether a given name is among
// them. Unlike the tombstones of random ids, they are therefore personal data.
const (
	TombstoneName   TombstoneKind = "name"   // the ErasedNameKey of a name
	TombstoneSource TombstoneKind = "source" // the id in another system (ParticipantSource)
)

// ErasedName is a tombstone of a name or of an id in another system.
type ErasedName struct {
	Hash     Hash
	ErasedAt time.Time
}

// ParticipantSource is the id that a participant has in a system from which they were imported. It is
// stored as a keyed hash only.
type ParticipantSource struct{ ParticipantID, SourceID string }

// ErasedNames tells imports who was erased. Nobody is erased because of them.
type ErasedNames interface {
	// ErasedPerson returns when a person with this name, or with this id in another system ("" for
	// none), was erased, the last time; ErrNotFound means that nobody was, or that it was too long ago.
	ErasedPerson(ctx context.Context, name, sourceID string) (time.Time, error)
	// ParticipantOfSource returns the participant with an id in another system, or ErrNotFound.
	ParticipantOfSource(ctx context.Context, sourceID string) (Participant, error)
	// DeleteErasedNames forgets at most limit names and ids that were erased before a time.
	DeleteErasedNames(ctx context.Context, before time.Time, limit int) (deleted int, err error)
}

// ErasedNameKey returns a form that the spellings of a name share in which systems differ: case, accents,
// umlauts ("Müller", "Mueller"), spaces, hyphens, the order ("Muster, Anna"), titles, and additions in
// brackets, such as a party.
func ErasedNameKey(name string) string {
	key := strings.Map(withoutBrackets(), name)
	key = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u", "h. c.", " ", "h.c.", " ").Replace(NameKey(key))
	var words []string
	for word := range strings.FieldsFuncSeq(key, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;-‐‑–/", r) }) {
		if !isTitle(word) {
			words = append(words, strings.FieldsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
		}
	}
	if len(words) == 0 {
		return NameKey(name)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// withoutBrackets returns a mapping that drops what is in round brackets.
func withoutBrackets() func(rune) rune {
	depth := 0
	return func(r rune) rune {
		switch {
		case r == '(':
			depth++
			return ' '
		case r == ')' && depth > 0:
			depth--
			return ' '
		case depth > 0:
			return -1
		}
		return r
	}
}

// isTitle reports whether a word of a name, folded as in a key, is a title or a form of address. Some
// are one only with a full stop: Phil and Ing are names too.
func isTitle(word string) bool {
	switch strings.TrimRight(word, ".") {
	case "dr", "prof", "professor", "professorin", "dipl", "mag", "herr", "herrn", "frau", "m.a", "b.a", "ph.d", "ll.m", "m.sc", "b.sc":
		return true
	case "ing", "phil", "med", "vet", "dent", "jur", "iur", "rer", "nat", "pol", "oec", "theol", "agr", "habil", "kfm", "dr.med", "dr.jur", "dr.phil", "dr.ing", "prof.dr":
		return strings.HasSuffix(word, ".") || strings.Contains(word, ".")
	}
	return false
}
