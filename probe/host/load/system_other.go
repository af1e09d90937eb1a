//go:build !linux && !windows && !darwin

package load

import "context"

func (system) pressure(string) *float64 { return nil }

func (system) throttles(context.Context) (n int64, state, ok bool) { return 0, false, false }

func (system) power(context.Context) power { return power{} }
