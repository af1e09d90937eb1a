package network

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// awaitTurn lets those go first who need the line more, until after is closed or
// atMost is over. Nil does not wait.
func awaitTurn(ctx context.Context, clock probe.Clock, after <-chan struct{}, atMost time.Duration) {
	if after == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-after:
			cancel()
		case <-ctx.Done():
		}
	}()
	_ = clock.Sleep(ctx, atMost)
}
