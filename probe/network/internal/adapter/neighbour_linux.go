package adapter

import (
	"net"
	"net/netip"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"
)

// IsAbsent reports whether a neighbour that was just contacted does not answer ARP (RFC 826) or neighbour solicitations
// (RFC 4861). A missing entry proves nothing: tunnels need neither.
func IsAbsent(neighbour netip.Addr) bool {
	c, err := dialRoutes()
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	all, err := c.Neigh.List()
	if err != nil {
		return false
	}
	return isAbsentFrom(all, neighbour, indexOf(neighbour.Zone()))
}

// indexOf returns the number of an interface; 0 if there is none.
func indexOf(name string) uint32 {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0
	}
	return uint32(i.Index)
}

// stateValid are the states in which the kernel has a hardware address (NUD_VALID of net/neighbour.h).
const stateValid = unix.NUD_PERMANENT | unix.NUD_NOARP | unix.NUD_REACHABLE | unix.NUD_PROBE | unix.NUD_STALE | unix.NUD_DELAY

// isAbsentFrom examines the kernel's neighbours, those of one interface unless index is 0.
func isAbsentFrom(all []rtnetlink.NeighMessage, neighbour netip.Addr, index uint32) bool {
	absent := false
	for _, n := range all {
		if n.Attributes == nil || index != 0 && n.Index != index {
			continue
		}
		a, ok := netip.AddrFromSlice(n.Attributes.Address)
		if !ok || a.Unmap() != neighbour.WithZone("") {
			continue
		}
		if n.State&stateValid != 0 {
			return false // present, perhaps on another interface
		}
		absent = true
	}
	return absent
}
