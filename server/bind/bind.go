// Package bind opens the collector's sockets, also on addresses that are not present yet: a
// service may start at boot before DHCP has assigned the configured address.
package bind

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire/unacked"
)

const (
	// unackedTime is how long a client may leave data unacknowledged before its connection ends.
	unackedTime = 12 * time.Second
	// idleTime is the silence after which the system asks whether the client still exists.
	idleTime = 50 * time.Second
)

// TCP listens on host:port.
func TCP(ctx context.Context, address string) (net.Listener, error) {
	limit := unacked.Control(unackedTime)
	lc := net.ListenConfig{
		Control: func(network, address string, c syscall.RawConn) error {
			return errors.Join(freely(network, address, c), limit(network, address, c))
		},
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: idleTime, Interval: 5 * time.Second, Count: 3},
	}
	lc.SetMultipathTCP(false) // such a socket does not pass the limit on, and agents do not use it
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

// UDP opens a socket on one address.
func UDP(ctx context.Context, at netip.AddrPort) (*net.UDPConn, error) {
	network := "udp6"
	if at.Addr().Is4() {
		network = "udp4"
	}
	lc := net.ListenConfig{Control: freely}
	c, err := lc.ListenPacket(ctx, network, at.String())
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", at, err)
	}
	return c.(*net.UDPConn), nil
}
