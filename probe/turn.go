package probe

import (
	"context"
	"time"
)

// AwaitTurn lets those go first who need the line more, until after is closed or
// atMost is over. Nil does not wait.
func AwaitTurn(ctx context.Context, clock Clock, after <-chan struct{}, atMost time.Duration) {
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
