//go:build !linux && !windows && !darwin

package linkstate

import "context"

func watch(context.Context, chan<- struct{}) error { return ErrUnsupported }

func switchedOff(string) bool { return false }
