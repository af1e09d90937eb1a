package adapter

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// gatewayOf queries the kernel for the next router on the route to an address.
// /proc/net/route is not sufficient: it shows one of several tables (ip-rule(8)),
// one of several next hops, and no IPv6 router of an IPv4 route (RFC 5549).
func gatewayOf(i net.Interface, to netip.Addr) (gateway netip.Addr, known bool) {
	c, err := dialRoutes()
	if err != nil {
		return netip.Addr{}, false
	}
	defer func() { _ = c.Close() }()
	return askGateway(c, i, to)
}

func dialRoutes() (*rtnetlink.Conn, error) {
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	if err := c.SetReadDeadline(time.Now().Add(kernelWait)); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("limit the wait for rtnetlink: %w", err)
	}
	return c, nil
}

func askGateway(c *rtnetlink.Conn, i net.Interface, to netip.Addr) (gateway netip.Addr, known bool) {
	request := &rtnetlink.RouteMessage{Family: unix.AF_INET, DstLength: uint8(to.BitLen())}
	if to.Is6() {
		request.Family = unix.AF_INET6
	}
	request.Attributes.Dst = to.AsSlice()
	answers, err := c.Route.Get(request)
	if err != nil {
		return netip.Addr{}, false
	}
	return gatewayFrom(answers, i)
}

// gatewayFrom parses the kernel's response, which contains the route in use. If
// that route is on another interface, it has changed since the query.
func gatewayFrom(answers []rtnetlink.RouteMessage, i net.Interface) (gateway netip.Addr, known bool) {
	if len(answers) != 1 {
		return netip.Addr{}, false
	}
	a := answers[0].Attributes
	hop := a.Gateway
	if a.Via != nil {
		hop = a.Via.Addr
	}
	if a.OutIface != uint32(i.Index) {
		return netip.Addr{}, false
	}
	if len(hop) == 0 {
		return netip.Addr{}, true // a neighbour, or a tunnel
	}
	gateway, ok := netip.AddrFromSlice(hop)
	if gateway = gateway.Unmap(); gateway.IsLinkLocalUnicast() && gateway.Is6() {
		gateway = gateway.WithZone(i.Name)
	}
	return gateway, ok
}
