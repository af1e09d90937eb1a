package enroll

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tonprobe/tonprobe/server/store"
)

// Duplicate is a participant who shares a name or a phone number with another one. It is a
// warning, not an error: two people may have the same name, and a couple may share a telephone.
type Duplicate struct {
	store.Participant
	SameName, SamePhone bool
}

// Limits of a search for duplicates.
const (
	maxDuplicates = 20
	// maxCandidates bounds the search for a name such as "A", which is a part of many others.
	maxCandidates = 10_000
)

// Duplicates returns the participants other than exceptID who have this name or this phone number,
// sorted by name, at most 20. Names are the same regardless of case, accents, the spelling of
// umlauts ("Mueller", "Müller") and the order of the words ("Muster, Anna"); phone numbers
// regardless of how they are written (store.PhoneKeys).
func (n Enroller) Duplicates(ctx context.Context, name, phone, exceptID string) ([]Duplicate, error) {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return nil, err
	}
	nameKey, phoneKeys := nameKeyOf(name), phoneKeysOf(phone)
	var found []Duplicate
	for _, search := range append([]string{name}, phoneKeys...) {
		candidates, err := n.candidates(ctx, search)
		if err != nil {
			return nil, err
		}
		for _, p := range candidates {
			c := Duplicate{Participant: p, SameName: nameKeyOf(p.Name) == nameKey, SamePhone: slices.ContainsFunc(phoneKeysOf(p.Phone), func(k string) bool { return slices.Contains(phoneKeys, k) })}
			known := slices.ContainsFunc(found, func(f Duplicate) bool { return f.ID == p.ID })
			if p.ID != exceptID && !known && (c.SameName || c.SamePhone) {
				found = append(found, c)
			}
		}
	}
	slices.SortFunc(found, func(a, b Duplicate) int {
		return strings.Compare(nameKeyOf(a.Name)+a.ID, nameKeyOf(b.Name)+b.ID)
	})
	return found[:min(len(found), maxDuplicates)], nil
}

// candidates returns the participants whom the search of the store finds.
func (n Enroller) candidates(ctx context.Context, search string) ([]store.Participant, error) {
	var all []store.Participant
	q := store.StateQuery{Search: search, Limit: store.MaxPage}
	for len(all) < maxCandidates {
		page, err := n.Store.ParticipantStates(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range page.States {
			all = append(all, s.Participant)
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	return all, nil
}

// nameKeyOf returns a form of a name that two spellings of it share.
func nameKeyOf(name string) string {
	folded := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(name))
	folded = strings.NewReplacer("ß", "ss", "ae", "a", "oe", "o", "ue", "u").Replace(folded)
	words := strings.FieldsFunc(folded, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
	slices.Sort(words)
	return strings.Join(words, " ")
}

// minPhoneDigits is the length from which digits count as a phone number. Shorter ones are extensions,
// which do not identify anybody without the number of their switchboard.
const minPhoneDigits = 5

// phoneKeysOf returns the phone numbers in a text that are long enough.
func phoneKeysOf(phone string) []string {
	return slices.DeleteFunc(store.PhoneKeys(phone), func(key string) bool { return len(key) < minPhoneDigits })
}
