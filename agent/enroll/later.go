package enroll

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/agent/durable"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// LaterFile contains the invitation of an installer whose collector did not answer yet. It is as
// secret as the identity beside it.
const LaterFile = "invitation.json"

// LaterLock is held while the stored invitation is used (see durable.Lock): two programs that use the
// same code at the same time would not both get a token.
const LaterLock = "invitation.lock"

const (
	// keepLater is how long an invitation is kept. The codes of a collector expire after 14 days by
	// default. confirmLater is how long it must stay expired before removal, in case the clock is wrong.
	keepLater    = 29 * 24 * time.Hour
	confirmLater = 48 * time.Hour
)

// Later is an invitation that is used when the collector answers.
type Later struct {
	Server string      `json:"server"`
	Code   string      `json:"code"`
	Pins   *trust.Pins `json:"pins,omitempty"`
	// CA contains certificates to trust besides those of the system, in PEM form.
	CA string `json:"ca,omitempty"`
	// Since is when the invitation was stored.
	Since time.Time `json:"since"`
	// OldSince is when the invitation was first found too old.
	OldSince time.Time `json:"old_since,omitzero"`
}

// Invitation returns the invitation to enrol with.
func (l Later) Invitation() Invitation {
	return Invitation{Server: l.Server, Code: l.Code, Pins: l.Pins}
}

// Old reports whether the invitation was stored too long ago. One from the future, which is the
// result of a wrong clock, is not old.
func (l Later) Old(now time.Time) bool { return now.Sub(l.Since) > keepLater }

// Expired reports whether the invitation in dir has been old for confirmLater, and stores when it was first
// found old.
func (l Later) Expired(dir string, now time.Time) (bool, error) {
	switch old := l.Old(now); {
	case !old && l.OldSince.IsZero():
		return false, nil
	case !old: // the clock was wrong
		l.OldSince = time.Time{}
	case l.OldSince.IsZero() || l.OldSince.After(now):
		l.OldSince = now.UTC()
	default:
		return now.Sub(l.OldSince) >= confirmLater, nil
	}
	return false, l.save(dir)
}

// Keep stores an invitation in the data folder dir, to be used later with the certificates ca.
func Keep(dir string, i Invitation, ca string, now time.Time) error {
	if err := durable.MkdirPrivate(dir); err != nil {
		return fmt.Errorf("keep the invitation: %w", err)
	}
	return Later{Server: i.Server, Code: i.Code, Pins: i.Pins, CA: ca, Since: now.UTC()}.save(dir)
}

func (l Later) save(dir string) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("keep the invitation: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, LaterFile), append(b, '\n'))
}

// Kept returns the invitation in dir; nil if there is none. A damaged file is removed: the person can
// still type the code.
func Kept(dir string) (*Later, error) {
	b, err := os.ReadFile(filepath.Join(dir, LaterFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the invitation: %w", err)
	}
	var l Later
	if json.Unmarshal(b, &l) != nil || l.Server == "" || l.Code == "" {
		return nil, Forget(dir)
	}
	return &l, nil
}

// Forget removes the invitation in dir, if there is one.
func Forget(dir string) error {
	err := durable.Remove(filepath.Join(dir, LaterFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forget the invitation: %w", err)
	}
	return durable.SyncDir(dir)
}
