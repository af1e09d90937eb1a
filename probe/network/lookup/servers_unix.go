//go:build !windows

package lookup

import (
	"net/netip"
	"os"
)

// Servers are the name servers that this system asks, in the order in which it
// does; none where it does not tell.
func Servers() []netip.AddrPort {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	return parseServers(b)
}

// Search are the domains that this system adds to a name which is not found.
func Search() []string {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	return parseSearch(b)
}
