package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
)

// TombstoneKind is what a tombstone stands for.
type TombstoneKind string

// The kinds of tombstones.
const (
	TombstoneParticipant TombstoneKind = "participant" // an id
	TombstoneAgent       TombstoneKind = "agent"       // an id
	TombstoneToken       TombstoneKind = "token"       // the Hash of a token
)

// TombstoneOf returns the tombstone of something erased: HMAC-SHA-256, so that it shows nobody what
// it stands for.
func TombstoneOf(key []byte, kind TombstoneKind, id string) (h Hash) {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(id))
	return Hash(mac.Sum(nil))
}

// erasedPrefix begins the name of an erased person in the audit log.
const erasedPrefix = "erased:"

// Pseudonym returns what the audit log contains instead of the id of an erased participant.
func Pseudonym(tombstone Hash) string { return erasedPrefix + hex.EncodeToString(tombstone[:16]) }

// IsPseudonym reports whether a text is a Pseudonym.
func IsPseudonym(id string) bool { return strings.HasPrefix(id, erasedPrefix) }

// TombstoneList is the tombstones of a store, with their keys: usually one. A store that was merged
// with another one has the keys of both.
type TombstoneList struct {
	Keys   [][]byte
	Hashes []Hash
	Names  []ErasedName // one for each hash
	// NamesUnknown means that the list was made without names: a name that is missing in Names has no
	// meaning.
	NamesUnknown bool
}

// Tombstones remembers who was erased, so that neither a delivery nor a restored backup brings them
// back. Those of ids and tokens contain no personal data and are never deleted.
type Tombstones interface {
	ErasedNames

	// ErasedToken reports whether a token was that of a computer of an erased participant.
	ErasedToken(ctx context.Context, tokenHash Hash) (bool, error)
	// Tombstones returns all, in the order of their values.
	Tombstones(ctx context.Context) (TombstoneList, error)
	// AddTombstones adds the tombstones of an earlier or later state of this store, and erases again
	// the participants to whom they belong. If the list lacks the name of a participant, they were deleted
	// by age, or so long ago that the tombstone of the name has expired; then this store gets none either.
	AddTombstones(ctx context.Context, l TombstoneList, now time.Time) (erased int, err error)
}

// NamesPerson reports whether a text names a person: by the last name as a word, or as a part of a
// word with hyphens, also in the genitive. A first name alone does not count, nor does an addition in
// brackets, such as a party.
func NamesPerson(text, name string) bool {
	name, _, _ = strings.Cut(name, "(")
	last := name
	if before, _, found := strings.Cut(name, ","); found { // Muster, Anna
		last = before
	} else if fields := strings.Fields(name); len(fields) > 0 {
		last = fields[len(fields)-1]
	}
	want, words := wordsOf(last), wordsOf(text)
	if len(want) == 0 {
		return false
	}
	for i := range words {
		if i+len(want) > len(words) {
			return false
		}
		found := slices.Clone(words[i : i+len(want)])
		end := len(found) - 1
		if found[end] != want[end] {
			found[end] = strings.TrimSuffix(found[end], "s")
		}
		if slices.Equal(found, want) {
			return true
		}
	}
	return false
}

// wordsOf returns the keys of the words of a text.
func wordsOf(text string) []string {
	return strings.FieldsFunc(NameKey(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// RemarkPrefix begins the text of a remark by staff in a disturbance record (package disturbance). A
// remark may name anybody, so it is erased with each person whom it names.
const RemarkPrefix = `{"role":"remark"`

// RemarkNames reports whether the remark in a text with RemarkPrefix names a person (NamesPerson). The
// text is JSON, whose own words and escapes do not count.
func RemarkNames(text, name string) bool {
	var remark struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(text), &remark); err != nil {
		return NamesPerson(text, name)
	}
	return NamesPerson(remark.Text, name)
}
