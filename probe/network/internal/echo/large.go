package echo

import (
	"context"
	"errors"
	"net/netip"
)

// ErrTooLarge means that the packet is known to be too large for the path: a router
// reported it, or the local interface does not accept it.
var ErrTooLarge = errors.New("the packet is too large for the path")

// LargeAsker is an [Asker] that can also send packets of a given size.
type LargeAsker interface {
	// AskLarge sends one packet of the given size, including the IP header, that
	// must not be fragmented. The errors are those of Ask and [ErrTooLarge].
	AskLarge(ctx context.Context, to netip.Addr, bytes int) (Reply, error)
}
