package collector

import (
	"context"
	"net"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire/unacked"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
)

const (
	// unackedTime is how long the collector, or a proxy, may leave data unacknowledged: a loss of
	// several packets in succession, or a change of the access point, takes less.
	unackedTime = 12 * time.Second
	// idleTime is the silence after which the system sends TCP keep-alive probes. A connected
	// agent and its collector exchange data more often than that: with the default, a probe
	// from each end every 15 s, the probes alone would be 1.2 MB a day.
	idleTime = 45 * time.Second
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
	system := net.Dialer{Control: unacked.Control(unackedTime),
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: idleTime, Interval: 4 * time.Second, Count: 3}}
	return lookup.Dialer{Resolver: lookup.System(), Timeout: dialTimeout, Dial: system.DialContext}.DialContext(ctx, network, address)
}
