// Package bind opens the collector's sockets, also on addresses that this machine
// is going to have: a service starts at boot before DHCP has given the address
// that its configuration names.
package bind

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// TCP listens on host:port.
func TCP(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{Control: freely}
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
