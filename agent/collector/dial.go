package collector

import (
	"context"
	"net"

	"github.com/tonprobe/tonprobe/probe/network/lookup"
)

// DialFunc opens a connection.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialKey is the key of the DialFunc in a context.
type dialKey struct{}

// WithDialer returns a context whose requests to a collector use dial, so that a virtual network
// can stand in.
func WithDialer(ctx context.Context, dial DialFunc) context.Context {
	return context.WithValue(ctx, dialKey{}, dial)
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d, ok := ctx.Value(dialKey{}).(DialFunc); ok {
		return d(ctx, network, address)
	}
	return lookup.Dialer{Resolver: lookup.System(), Timeout: dialTimeout}.DialContext(ctx, network, address)
}
