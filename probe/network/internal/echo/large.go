package echo

import (
	"context"
	"errors"
	"net/netip"
)

// ErrTooLarge means that this computer knows the packet to be too large for the
// way: a router said so, or its own interface takes no more.
var ErrTooLarge = errors.New("the packet is too large for the way")

// LargeAsker is an [Asker] that can send packets of a size as well.
type LargeAsker interface {
	// AskLarge sends one packet of so many bytes, IP header included, that must
	// not be cut into parts. The errors are those of Ask and [ErrTooLarge].
	AskLarge(ctx context.Context, to netip.Addr, bytes int) (Reply, error)
}
