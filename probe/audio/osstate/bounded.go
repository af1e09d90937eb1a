//go:build windows || darwin

package osstate

import (
	"context"
	"fmt"
	"time"
)

// readTimeout bounds a look at the devices: WASAPI has been seen to dead-lock
// while a device comes or goes, and macOS' coreaudiod to hang.
const readTimeout = 2 * time.Second

// bounded waits for an answer of the system no longer than readTimeout. A call
// that hangs is left behind; nothing can end it.
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
		return Snapshot{}, fmt.Errorf("ask %s for its sound devices: %w", system, ctx.Err())
	}
}
