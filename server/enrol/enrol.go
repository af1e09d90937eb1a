// Package enrol takes participants in: it gives out one-time codes, and agents
// for codes.
package enrol

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// CodeTTL is how long a code is good, unless Desk says otherwise.
const CodeTTL = 14 * 24 * time.Hour

// MaxCodeDays bounds the life of a code: a letter for the next session, not a
// key that lies in a drawer.
const MaxCodeDays = 365

// Bounds of what people enter.
const (
	MaxNameBytes  = 200
	MaxPhoneBytes = 40
	maxAgentBytes = 64 // version, os, arch
)

// ErrCode says that a code is unknown, used or expired, or its participant
// blocked. The four look alike to whoever guesses.
var ErrCode = errors.New("this enrolment code is not valid, was used already or has expired: ask your support for a new one")

// InputError says what is wrong with something a person or an agent entered.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return e.Problem }

// Store is what this package keeps.
type Store interface {
	AddParticipant(ctx context.Context, p store.Participant) error
	EditParticipant(ctx context.Context, id, name, phone string) error
	AddEnrolCode(ctx context.Context, c store.EnrolCode) error
	Enrol(ctx context.Context, codeHash store.Hash, a store.NewAgent, now time.Time) (store.Participant, error)
}

// Desk takes participants in. All fields but CodeTTL are required.
type Desk struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	// CodeTTL is how long codes are good; 0 is the usual CodeTTL.
	CodeTTL time.Duration
}

// Invitation is a participant and the code for the first of their agents.
type Invitation struct {
	Participant store.Participant
	Code        string
	ExpiresAt   time.Time
}

// Invite adds a participant. An *InputError says what is wrong with the name or
// the phone number.
func (d Desk) Invite(ctx context.Context, name, phone string) (Invitation, error) {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return Invitation{}, err
	}
	id, err := uuid.NewRandomFromReader(d.Random)
	if err != nil {
		return Invitation{}, fmt.Errorf("draw an id: %w", err)
	}
	p := store.Participant{ID: id.String(), Name: name, Phone: phone, CreatedAt: d.Now().UTC().Truncate(time.Millisecond)}
	if err := d.Store.AddParticipant(ctx, p); err != nil {
		return Invitation{}, err
	}
	return d.Code(ctx, p)
}

// Edit gives a participant another name and phone number.
func (d Desk) Edit(ctx context.Context, id, name, phone string) error {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return err
	}
	return d.Store.EditParticipant(ctx, id, name, phone)
}

// checkPerson returns what a person entered as it is kept.
func checkPerson(name, phone string) (cleanName, cleanPhone string, err error) {
	if cleanName, err = clean("name", name, MaxNameBytes); err != nil {
		return "", "", err
	}
	if cleanName == "" {
		return "", "", &InputError{"a participant needs a name"}
	}
	cleanPhone, err = clean("phone number", phone, MaxPhoneBytes)
	return cleanName, cleanPhone, err
}

// Code gives a participant one more code, for another computer.
func (d Desk) Code(ctx context.Context, p store.Participant) (Invitation, error) {
	code, err := auth.NewEnrolCode(d.Random)
	if err != nil {
		return Invitation{}, err
	}
	now := d.Now().UTC().Truncate(time.Second)
	i := Invitation{Participant: p, Code: code, ExpiresAt: now.Add(cmp.Or(d.CodeTTL, CodeTTL))}
	return i, d.Store.AddEnrolCode(ctx, store.EnrolCode{
		Hash: store.HashOf(code), ParticipantID: p.ID, CreatedAt: now, ExpiresAt: i.ExpiresAt})
}

// Applicant is an agent that wants in.
type Applicant struct {
	// AgentID is the id the agent has drawn for itself, "" when it has none.
	AgentID           string
	Version, OS, Arch string
}

// Enrolled is an agent that is in.
type Enrolled struct {
	AgentID     string
	Token       string
	Participant store.Participant
}

// Accept uses up a code. Its error is ErrCode, an *InputError, or a fault of
// the store.
func (d Desk) Accept(ctx context.Context, code string, a Applicant) (Enrolled, error) {
	if err := a.check(); err != nil {
		return Enrolled{}, err
	}
	normal, ok := auth.NormalizeEnrolCode(code)
	if !ok {
		return Enrolled{}, ErrCode
	}
	e, err := d.accept(ctx, store.HashOf(normal), a)
	if errors.Is(err, store.ErrExists) {
		// The id is another participant's: a copied disk, or somebody who wants
		// to be somebody else. Either gets an id of its own.
		a.AgentID = ""
		e, err = d.accept(ctx, store.HashOf(normal), a)
	}
	if errors.Is(err, store.ErrNotFound) {
		return Enrolled{}, ErrCode
	}
	return e, err
}

func (d Desk) accept(ctx context.Context, codeHash store.Hash, a Applicant) (Enrolled, error) {
	if a.AgentID == "" {
		id, err := uuid.NewRandomFromReader(d.Random)
		if err != nil {
			return Enrolled{}, fmt.Errorf("draw an id: %w", err)
		}
		a.AgentID = id.String()
	}
	token, hash, err := auth.NewToken(d.Random)
	if err != nil {
		return Enrolled{}, err
	}
	p, err := d.Store.Enrol(ctx, codeHash, store.NewAgent{
		ID: a.AgentID, TokenHash: hash, Version: a.Version, OS: a.OS, Arch: a.Arch}, d.Now())
	return Enrolled{AgentID: a.AgentID, Token: token, Participant: p}, err
}

func (a *Applicant) check() error {
	for _, f := range []struct {
		name string
		text *string
	}{{"agent.version", &a.Version}, {"agent.os", &a.OS}, {"agent.arch", &a.Arch}} {
		var err error
		if *f.text, err = clean(f.name, *f.text, maxAgentBytes); err != nil {
			return err
		}
	}
	if a.AgentID == "" {
		return nil
	}
	id, err := uuid.Parse(a.AgentID)
	if err != nil || len(a.AgentID) != len(uuid.Nil.String()) || id == uuid.Nil {
		return &InputError{"agent_id is not a UUID"}
	}
	a.AgentID = id.String() // lower case
	return nil
}

// clean takes the spaces around a text and refuses what could deceive whoever
// reads it in a list: control characters, and invisible ones that turn the
// direction of writing.
func clean(what, s string, maxBytes int) (string, error) {
	if len(s) > maxBytes {
		return "", &InputError{fmt.Sprintf("the %s is too long: it has %d bytes, at most %d are allowed", what, len(s), maxBytes)}
	}
	if !utf8.ValidString(s) {
		return "", &InputError{fmt.Sprintf("the %s is not valid UTF-8", what)}
	}
	s = strings.TrimSpace(s)
	for _, r := range s {
		const nonJoiner, joiner = '\u200c', '\u200d' // Persian and Indic names need them
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cf, r) && r != nonJoiner && r != joiner {
			return "", &InputError{fmt.Sprintf("the %s contains a control character (U+%04X): remove it", what, r)}
		}
	}
	return s, nil
}
