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

// Draft returns the invitation of a new participant, and the records of its code, without storing
// them: for a caller that stores many at once. An *InputError describes an invalid name or phone
// number.
func (n Enroller) Draft(name, phone string) (Invitation, []store.EnrolCode, error) {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return Invitation{}, nil, err
	}
	id, err := uuid.NewRandomFromReader(n.Random)
	if err != nil {
		return Invitation{}, nil, fmt.Errorf("generate an id: %w", err)
	}
	return n.DraftCode(store.Participant{ID: id.String(), Name: name, Phone: phone, CreatedAt: n.Now().UTC().Truncate(time.Millisecond)})
}

// DraftCode returns another code for a participant, without storing it.
func (n Enroller) DraftCode(p store.Participant) (Invitation, []store.EnrolCode, error) {
	code, err := auth.NewEnrolCode(n.Random)
	if err != nil {
		return Invitation{}, nil, err
	}
	now := n.Now().UTC().Truncate(time.Second)
	i := Invitation{Participant: p, Code: code, ExpiresAt: now.Add(cmp.Or(n.CodeTTL, CodeTTL))}
	var codes []store.EnrolCode
	for _, hash := range []store.Hash{store.HashOf(code), browserHash(code)} {
		codes = append(codes, store.EnrolCode{Hash: hash, ParticipantID: p.ID, CreatedAt: now, ExpiresAt: i.ExpiresAt})
	}
	return i, codes, nil
}

// browserHash is the record of a code for a browser. Each code enrols one program and one browser:
// a person who opens the check in a browser can still set up the computer with the letter, and the
// other way round. No code contains a space.
func browserHash(code string) store.Hash { return store.HashOf("browser " + code) }

// SameName reports whether two names are the same, as Duplicates compares them.
func SameName(a, b string) bool { return nameKeyOf(a) == nameKeyOf(b) }

// SamePhone reports whether two texts have a phone number in common, as Duplicates compares them.
func SamePhone(a, b string) bool {
	keys := phoneKeysOf(a)
	return slices.ContainsFunc(phoneKeysOf(b), func(k string) bool { return slices.Contains(keys, k) })
}
