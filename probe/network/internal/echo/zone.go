package echo

import (
	"net"
	"net/netip"
	"strconv"
)

// zoneID returns the interface index in the zone of a link-local address.
func zoneID(a netip.Addr) uint32 {
	if n, err := strconv.ParseUint(a.Zone(), 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(a.Zone()); err == nil {
		return uint32(i.Index)
	}
	return 0
}
