package check

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference"
)

// ErrCancelled says that the check was broken off before it had a report.
var ErrCancelled = errors.New("check cancelled")

// UnknownProbeError names probes asked for that do not exist.
type UnknownProbeError struct {
	Names []string
	Known []string
}

func (e *UnknownProbeError) Error() string {
	return fmt.Sprintf("no probe called %s; there are %s",
		strings.Join(e.Names, ", "), strings.Join(e.Known, ", "))
}

// LifetimeError is a search for a binding's lifetime that is too short to prove
// anything or longer than anybody waits.
type LifetimeError struct{ Asked time.Duration }

func (e *LifetimeError) Error() string {
	return fmt.Sprintf("binding lifetime %v: want %v to %v", e.Asked, MinBindingLifetime, MaxBindingLifetime)
}

func checkLifetime(d time.Duration) error {
	if d != 0 && (d < MinBindingLifetime || d > MaxBindingLifetime) {
		return &LifetimeError{Asked: d}
	}
	return nil
}

// Target is a conference system's address as a check uses it, without what may be the
// secret of a meeting. "" stays "". The error is an [*origin.Error].
func Target(raw string) (string, error) { return conference.Reduce(raw) }
