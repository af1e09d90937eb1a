// Package enroll enrols participants: it issues one-time codes, and exchanges codes for agents.
package enroll

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// CodeTTL is the default lifetime of a code.
const CodeTTL = 14 * 24 * time.Hour

// MaxCodeDays limits the lifetime of a code, which is meant for the next session.
const MaxCodeDays = 365

// Limits of input, in characters.
const (
	MaxName  = 200 // as package roster shortens names
	MaxPhone = 40
	maxAgent = 64 // version, os, arch
)

// ErrCode means that a code is unknown, used or expired, or that its participant is blocked. The
// four are indistinguishable to a client that guesses.
var ErrCode = errors.New("this enrolment code is not valid, has already been used or has expired: ask your support for a new one")

// InputError describes invalid input of a person or an agent.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return e.Problem }

// Store is the storage that this package needs.
type Store interface {
	AddParticipant(ctx context.Context, p store.Participant) error
	EditParticipant(ctx context.Context, id, name, phone string) error
	ParticipantStates(ctx context.Context, q store.StateQuery) (store.StatePage, error)
	AddEnrolCode(ctx context.Context, c store.EnrolCode) error
	Enrol(ctx context.Context, codeHash store.Hash, a store.NewAgent, now time.Time) (store.Participant, error)
}

// Enroller enrols participants. All fields but CodeTTL are required.
type Enroller struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	// CodeTTL is the lifetime of codes; 0 means the default.
	CodeTTL time.Duration
}

// Invitation is a participant and a code for one of their agents.
type Invitation struct {
	Participant store.Participant
	Code        string
	ExpiresAt   time.Time
}

// Invite adds a participant. An *InputError describes an invalid name or phone number.
func (n Enroller) Invite(ctx context.Context, name, phone string) (Invitation, error) {
	i, codes, err := n.Draft(name, phone)
	if err != nil {
		return Invitation{}, err
	}
	if err := n.Store.AddParticipant(ctx, i.Participant); err != nil {
		return Invitation{}, err
	}
	return i, n.addCodes(ctx, codes)
}

// Edit changes a participant's name and phone number.
func (n Enroller) Edit(ctx context.Context, id, name, phone string) error {
	name, phone, err := checkPerson(name, phone)
	if err != nil {
		return err
	}
	return n.Store.EditParticipant(ctx, id, name, phone)
}

// checkPerson returns the input in the form to store.
func checkPerson(name, phone string) (cleanName, cleanPhone string, err error) {
	if cleanName, err = clean("name", name, MaxName); err != nil {
		return "", "", err
	}
	if cleanName == "" {
		return "", "", &InputError{"a participant needs a name"}
	}
	cleanPhone, err = clean("phone number", phone, MaxPhone)
	return cleanName, cleanPhone, err
}

// Code creates another code for a participant, for another computer.
func (n Enroller) Code(ctx context.Context, p store.Participant) (Invitation, error) {
	i, codes, err := n.DraftCode(p)
	if err != nil {
		return Invitation{}, err
	}
	return i, n.addCodes(ctx, codes)
}

func (n Enroller) addCodes(ctx context.Context, codes []store.EnrolCode) error {
	for _, c := range codes {
		if err := n.Store.AddEnrolCode(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// Applicant is an agent that requests to be enrolled.
type Applicant struct {
	// AgentID is the id that the agent has generated, "" if it has none.
	AgentID           string
	Version, OS, Arch string
}

// Enrolled is an enrolled agent.
type Enrolled struct {
	AgentID     string
	Token       string
	Participant store.Participant
}

// Accept redeems a code. Its error is ErrCode, an *InputError, or an error of the store.
func (n Enroller) Accept(ctx context.Context, code string, a Applicant) (Enrolled, error) {
	if err := a.check(); err != nil {
		return Enrolled{}, err
	}
	normal, ok := auth.NormalizeEnrolCode(code)
	if !ok {
		return Enrolled{}, ErrCode
	}
	hash := store.HashOf(normal)
	if a.Arch == wire.BrowserArch {
		hash = browserHash(normal)
	}
	e, err := n.accept(ctx, hash, a)
	if errors.Is(err, store.ErrExists) {
		// The id belonged to a participant who was erased, or it belongs to another one: the disk was
		// copied, or the request is an attempt to impersonate that agent. The agent gets a new id.
		a.AgentID = ""
		e, err = n.accept(ctx, hash, a)
	}
	if errors.Is(err, store.ErrNotFound) {
		return Enrolled{}, ErrCode
	}
	return e, err
}

func (n Enroller) accept(ctx context.Context, codeHash store.Hash, a Applicant) (Enrolled, error) {
	if a.AgentID == "" {
		id, err := uuid.NewRandomFromReader(n.Random)
		if err != nil {
			return Enrolled{}, fmt.Errorf("generate an id: %w", err)
		}
		a.AgentID = id.String()
	}
	token, hash, err := auth.NewToken(n.Random)
	if err != nil {
		return Enrolled{}, err
	}
	p, err := n.Store.Enrol(ctx, codeHash, store.NewAgent{
		ID: a.AgentID, TokenHash: hash, Version: a.Version, OS: a.OS, Arch: a.Arch}, n.Now())
	return Enrolled{AgentID: a.AgentID, Token: token, Participant: p}, err
}

func (a *Applicant) check() error {
	for _, f := range []struct {
		name string
		text *string
	}{{"agent.version", &a.Version}, {"agent.os", &a.OS}, {"agent.arch", &a.Arch}} {
		var err error
		if *f.text, err = clean(f.name, *f.text, maxAgent); err != nil {
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

// clean trims a text and rejects characters that could deceive a reader of a list: control
// characters, and invisible ones that change the writing direction.
func clean(what, s string, most int) (string, error) {
	if n := utf8.RuneCountInString(s); n > most {
		return "", &InputError{fmt.Sprintf("the %s is too long: it has %d characters, at most %d are allowed", what, n, most)}
	}
	if !utf8.ValidString(s) {
		return "", &InputError{fmt.Sprintf("the %s is not valid UTF-8", what)}
	}
	s = strings.TrimSpace(s)
	for _, r := range s {
		const nonJoiner, joiner = '\u200c', '\u200d' // required by Persian and Indic names
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cf, r) && r != nonJoiner && r != joiner {
			return "", &InputError{fmt.Sprintf("the %s contains a control character (U+%04X): remove it", what, r)}
		}
	}
	return s, nil
}
