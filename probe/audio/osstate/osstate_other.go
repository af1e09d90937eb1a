//go:build !linux && !windows && !darwin

package osstate

import "context"

func read(context.Context, int) (Snapshot, error) { return Snapshot{}, ErrUnsupported }

func readOutputs(context.Context) (Snapshot, error) { return Snapshot{}, ErrUnsupported }
