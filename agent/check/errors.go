package check

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report/origin"
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

// Target is a conference system's address as a check uses it: scheme, host and
// port. What else stands in a pasted link may be the secret of a meeting, and is
// neither kept nor asked for. "" stays "". The error is an [*origin.Error].
func Target(raw string) (string, error) {
	if strings.TrimSpace(raw) == "" {
		return "", nil
	}
	u, err := origin.ParseSecure(raw)
	if err != nil {
		return "", err
	}
	return origin.Of(u), nil
}
