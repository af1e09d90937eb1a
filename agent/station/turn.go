package station

import "context"

// Turn ensures that one check of this process runs at a time: two at once would distort
// each other's measurements.
type Turn chan struct{}

// NewTurn returns a free Turn.
func NewTurn() Turn { return make(Turn, 1) }

// take waits for the turn, and returns the function that ends it.
func (t Turn) take(ctx context.Context) (end func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
