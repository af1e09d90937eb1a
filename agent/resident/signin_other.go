//go:build !windows

package resident

// Only Windows has no services of a person.

func (u Setup) controlAtSignIn(Action) error { return ErrNoUserService }
func stateAtSignIn() (State, error)          { return StateMissing, nil }
