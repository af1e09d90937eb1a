// Package bind opens the collector's sockets, also on addresses that are not present yet: a
// service may start at boot before DHCP has assigned the configured address.
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
