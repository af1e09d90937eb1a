package media

import (
	"context"
	"time"
)

// hedgeAfter is when a request without an answer is made once more beside the
// first. A lost SYN costs a second and the next one two more (RFC 6298 §5.5):
// on a line that loses one packet in five that would look like a silent server.
const hedgeAfter = 2 * time.Second

// hedged asks, and once more when no answer came for a while or the connection
// failed. The first answer of the server counts, be it a refusal; the other
// request is given up.
func hedged[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 2)
	try := func() {
		v, err := ask(ctx)
		answers <- answer{v, err}
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

// retryPause lets a line that just failed come back.
const retryPause = 250 * time.Millisecond
