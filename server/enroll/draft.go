package enroll

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// Draft returns the invitation of a new participant, and the record of its code, without storing
// them: for a caller that stores many at once. An *InputError describes an invalid name or phone
// number.
func (n Enroller) Draft(name, phone string) (Invitation, store.EnrolCode, error) {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return Invitation{}, store.EnrolCode{}, err
	}
	id, err := uuid.NewRandomFromReader(n.Random)
	if err != nil {
		return Invitation{}, store.EnrolCode{}, fmt.Errorf("generate an id: %w", err)
	}
	return n.DraftCode(store.Participant{ID: id.String(), Name: name, Phone: phone, CreatedAt: n.Now().UTC().Truncate(time.Millisecond)})
}

// DraftCode returns another code for a participant, without storing it.
func (n Enroller) DraftCode(p store.Participant) (Invitation, store.EnrolCode, error) {
	code, err := auth.NewEnrolCode(n.Random)
	if err != nil {
		return Invitation{}, store.EnrolCode{}, err
	}
	now := n.Now().UTC().Truncate(time.Second)
	i := Invitation{Participant: p, Code: code, ExpiresAt: now.Add(cmp.Or(n.CodeTTL, CodeTTL))}
	return i, store.EnrolCode{Hash: store.HashOf(code), ParticipantID: p.ID, CreatedAt: now, ExpiresAt: i.ExpiresAt}, nil
}

// SameName reports whether two names are the same, as Duplicates compares them.
func SameName(a, b string) bool { return nameKeyOf(a) == nameKeyOf(b) }

// SamePhone reports whether two texts have a phone number in common, as Duplicates compares them.
func SamePhone(a, b string) bool {
	keys := phoneKeysOf(a)
	return slices.ContainsFunc(phoneKeysOf(b), func(k string) bool { return slices.Contains(keys, k) })
}
