package wire

import (
	"errors"
	"time"
)

// MaxSessionLength is the longest time between the start and the end of a session.
const MaxSessionLength = 24 * time.Hour

// AssumedSessionLength is the length of a session whose end is not known.
const AssumedSessionLength = 6 * time.Hour

// Overtime is how long after its planned end a session may still be in progress: until then,
// disturbances can be reported.
const Overtime = 4 * time.Hour

// Session is a council session of the participant. It contains neither the council nor a title.
type Session struct {
	StartsAt time.Time `json:"starts_at"`
	// EndsAt is nil if the end is not known.
	EndsAt *time.Time `json:"ends_at,omitempty"`
	// Target is the name of the conference system; "" if the session names none.
	Target string `json:"target,omitempty"`
	// Profile is the name of the limits; "" for those of the target.
	Profile string `json:"profile,omitempty"`
}

// Closes returns when the session is over: at its end, or after AssumedSessionLength if
// that is not known.
func (s Session) Closes() time.Time {
	if s.EndsAt == nil {
		return s.StartsAt.Add(AssumedSessionLength)
	}
	return *s.EndsAt
}

func (s Session) validate() error {
	switch {
	case s.StartsAt.IsZero():
		return errors.New("no start")
	case s.EndsAt != nil && (!s.EndsAt.After(s.StartsAt) || s.EndsAt.Sub(s.StartsAt) > MaxSessionLength):
		return errors.New("the end is not within 24 hours after the start")
	case s.Target != "" && !IsTargetName(s.Target), len(s.Profile) > maxTargetFieldBytes:
		return errors.New("invalid target or profile")
	}
	return nil
}
