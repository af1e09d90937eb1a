package media

import (
	"context"
	"time"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// hedgeAfter is the delay after which an unanswered request is repeated in
// parallel. A lost SYN costs 1 s and the next one 2 s more (RFC 6298 §5.5): on a
// line with 20 % loss that would look like a server that does not respond.
const hedgeAfter = 2 * time.Second

// hedged calls ask, and calls it again if there was no response within hedgeAfter
// or the connection failed. The first response of the server counts, even an error;
// the other call is cancelled.
func hedged[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 2)
	try := func() {
		var a answer
		if err := guard.Do(func() { a.value, a.err = ask(ctx) }); err != nil {
			a.err = err
		}
		answers <- a
	}
	go try()
	again := time.NewTimer(hedgeAfter)
	defer again.Stop()
	open, tries := 1, 1
	for {
		select {
		case a := <-answers:
			open--
			if a.err == nil || isServerAnswer(a.err) || ctx.Err() != nil {
				return a.value, a.err
			}
			if tries == 2 && open == 0 {
				return a.value, a.err
			}
			if tries == 1 {
				again.Reset(retryPause)
			}
		case <-again.C:
			if tries == 1 {
				tries, open = 2, open+1
				go try()
			}
		}
	}
}

// retryPause gives a line that has just failed time to recover.
const retryPause = 250 * time.Millisecond
