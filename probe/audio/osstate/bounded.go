//go:build windows || darwin

package osstate

import (
	"context"
	"fmt"
	"time"
)

// readTimeout limits a query of the devices: WASAPI can deadlock while a device
// appears or disappears, and coreaudiod of macOS can hang.
const readTimeout = 2 * time.Second

// bounded waits at most readTimeout for the system's answer. A call that hangs is
// abandoned, because it cannot be cancelled.
func bounded(ctx context.Context, system string, ask func() (Snapshot, error)) (Snapshot, error) {
	type answer struct {
		s   Snapshot
		err error
	}
	done := make(chan answer, 1)
	go func() {
		s, err := ask()
		done <- answer{s, err}
	}()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	select {
	case a := <-done:
		return a.s, a.err
	case <-ctx.Done():
		return Snapshot{}, fmt.Errorf("query %s for its sound devices: %w", system, ctx.Err())
	}
}
