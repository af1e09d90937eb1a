package check

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
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

// TargetError is a conference system's address that cannot be used.
type TargetError struct{ Target string }

func (e *TargetError) Error() string {
	return fmt.Sprintf("target %q: want an address such as https://bbb.example.org", e.Target)
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

func checkTarget(target string) error {
	if target == "" {
		return nil
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return &TargetError{Target: target}
	}
	return nil
}
