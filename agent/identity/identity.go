// Package identity stores the identity of this agent: a random UUID created once
// and, after enrolment, the collector and its token.
//
// The UUID is never derived from hardware: cloned images and reused machines would
// share it, and it could be used to track a person.
package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// Names in the agent's data folder. The lock is held while the identity file is changed, in a
// file of its own, because the identity file is replaced.
const (
	FileName = "identity.json"
	LockName = "identity.lock"
)

// Identity is the content of the identity file.
type Identity struct {
	AgentID   string    `json:"agent_id"`
	CreatedAt time.Time `json:"created_at"`
	// Enrolment is nil until the agent is enrolled.
	Enrolment *Enrolment `json:"enrolment,omitempty"`
}

// Enrolment is the authorisation to use one collector.
type Enrolment struct {
	Server string `json:"server"`
	Token  string `json:"token"`
	// FormerToken is the token before Token. The collector accepts it until Token is used, and
	// again if its database is restored from a backup of that time.
	FormerToken string `json:"former_token,omitempty"`
	// RenewAt is when Token is to be replaced; zero if that is not decided yet.
	RenewAt     time.Time `json:"renew_at,omitzero"`
	Participant string    `json:"participant"`
	// CA contains the certificate authorities in PEM form that were trusted for this
	// collector at enrolment, in addition to the system's.
	CA string `json:"ca,omitempty"`
	// Pins are the known keys of the collector; nil for an agent that was enrolled
	// before collectors announced their keys.
	Pins       *trust.Pins `json:"pins,omitempty"`
	EnrolledAt time.Time   `json:"enrolled_at"`
	// SupportPhone is the phone number of support that the collector last announced.
	SupportPhone string `json:"support_phone,omitempty"`
}

// BrokenError means that the identity file exists and cannot be used. It is never
// replaced silently: a new identity would look like a second machine, and the waiting
// reports would be orphaned.
type BrokenError struct {
	Path string
	Err  error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("identity file %s cannot be used: %v; restore it from a backup, or delete it and enrol again", e.Path, e.Err)
}

func (e *BrokenError) Unwrap() error { return e.Err }

// Load reads the identity in dir. The error wraps fs.ErrNotExist if there is none, and
// is a *BrokenError if the file cannot be read or is invalid.
func Load(dir string) (*Identity, error) {
	path := filepath.Join(dir, FileName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	if err != nil {
		return nil, &BrokenError{path, err}
	}
	var id Identity
	if err := json.Unmarshal(b, &id); err != nil {
		return nil, &BrokenError{path, err}
	}
	if err := id.validate(); err != nil {
		return nil, &BrokenError{path, err}
	}
	return &id, nil
}

// ErrNotSaved means that the identity could not be written.
var ErrNotSaved = errors.New("the identity could not be saved")

// LoadOrCreate is Load, but creates a new identity if there is none. If the error is
// ErrNotSaved, the returned identity is valid for this run only.
func LoadOrCreate(dir string, random io.Reader, now time.Time) (*Identity, error) {
	id, err := Load(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return id, err
	}
	u, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return nil, fmt.Errorf("create an agent id: %w", err)
	}
	id = &Identity{AgentID: u.String(), CreatedAt: now.UTC()}
	err = Update(dir, func(stored *Identity) error {
		if stored.AgentID != "" { // another process was faster
			id = stored
			return nil
		}
		*stored = *id
		return nil
	})
	if err != nil && !errors.Is(err, ErrNotSaved) {
		return nil, err
	}
	return id, err
}

// Update calls change with the identity in dir, or with an empty one if there is none, and
// saves the result. Another process may have changed the identity since the caller loaded
// it. If change returns an error, nothing is saved. The error is ErrNotSaved if the file
// cannot be written.
func Update(dir string, change func(*Identity) error) error {
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer unlock()
	id, err := Load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		id, err = &Identity{}, nil
	}
	if err != nil {
		return err
	}
	before, err := json.Marshal(id)
	if err != nil {
		return fmt.Errorf("update identity: %w", err)
	}
	if err := change(id); err != nil {
		return err
	}
	if after, err := json.Marshal(id); err == nil && bytes.Equal(before, after) {
		return nil
	}
	return id.save(dir)
}

// lock waits until no other process changes the identity in dir.
func lock(dir string) (unlock func(), err error) {
	if err := durable.MkdirPrivate(dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	unlock, err = durable.Lock(filepath.Join(dir, LockName))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return unlock, nil
}

// save writes the identity durably, readable by its owner only. The caller holds the lock.
func (id *Identity) save(dir string) error {
	if err := id.validate(); err != nil {
		return fmt.Errorf("save identity: %w", err)
	}
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fmt.Errorf("save identity: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(dir, FileName), append(b, '\n')); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSaved, err)
	}
	return nil
}

func (id *Identity) validate() error {
	u, err := uuid.Parse(id.AgentID)
	if err != nil || u.String() != id.AgentID {
		return errors.New("agent_id is not a UUID")
	}
	if e := id.Enrolment; e != nil {
		if e.Token == "" {
			return errors.New("enrolment has no token")
		}
		if _, err := collector.ParseURL(e.Server); err != nil {
			return err
		}
	}
	return nil
}

// Retire removes the identity in dir after another owner has taken over its token. An
// identity that has been enrolled again since then remains.
func Retire(dir, token string) error {
	unlock, err := lock(dir)
	if err != nil {
		return fmt.Errorf("remove the identity: %w", err)
	}
	defer unlock()
	id, err := Load(dir)
	if err != nil {
		return fmt.Errorf("remove the identity: %w", err)
	}
	if id.Enrolment == nil || id.Enrolment.Token != token {
		return nil
	}
	if err := durable.Remove(filepath.Join(dir, FileName)); err != nil {
		return fmt.Errorf("remove the identity: %w", err)
	}
	return durable.SyncDir(dir)
}
