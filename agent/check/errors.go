package check

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrCancelled means that the check was cancelled before it had a report.
var ErrCancelled = errors.New("check cancelled")

// UnknownProbeError names requested probes that do not exist.
type UnknownProbeError struct {
	Names []string
	Known []string
}

func (e *UnknownProbeError) Error() string {
	return fmt.Sprintf("no probe called %s; there are %s",
		strings.Join(e.Names, ", "), strings.Join(e.Known, ", "))
}

// LifetimeError means that a requested BindingLifetime is outside of
// MinBindingLifetime to MaxBindingLifetime.
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
