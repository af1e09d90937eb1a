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
// regardless of everything but their digits, with +49 and 0049 as the national 0.
func (d Desk) Duplicates(ctx context.Context, name, phone, exceptID string) ([]Duplicate, error) {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return nil, err
	}
	nameKey, phoneKey := nameKeyOf(name), phoneKeyOf(phone)
	var found []Duplicate
	// Without its 0 a number is a part of all its spellings, also of "0049 228 …".
	for _, search := range []string{name, strings.TrimPrefix(phoneKey, "0")} {
		if search == "" {
			continue
		}
		candidates, err := d.candidates(ctx, search)
		if err != nil {
			return nil, err
		}
		for _, p := range candidates {
			c := Duplicate{Participant: p, SameName: nameKeyOf(p.Name) == nameKey, SamePhone: phoneKey != "" && phoneKeyOf(p.Phone) == phoneKey}
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
func (d Desk) candidates(ctx context.Context, search string) ([]store.Participant, error) {
	var all []store.Participant
	q := store.StateQuery{Search: search, Limit: store.MaxPage}
	for len(all) < maxCandidates {
		page, err := d.Store.ParticipantStates(ctx, q)
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

// minPhoneDigits is the length from which digits count as a phone number. Shorter ones are
// extensions, which say nothing without their switchboard.
const minPhoneDigits = 5

// phoneKeyOf returns the digits of a phone number with the national prefix; "" if there are too few.
func phoneKeyOf(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, strings.ReplaceAll(phone, "(0)", ""))
	if strings.HasPrefix(strings.TrimSpace(phone), "+49") {
		digits = "0" + strings.TrimPrefix(digits, "49")
	} else if rest, international := strings.CutPrefix(digits, "0049"); international {
		digits = "0" + rest
	}
	if len(digits) < minPhoneDigits {
		return ""
	}
	return digits
}
