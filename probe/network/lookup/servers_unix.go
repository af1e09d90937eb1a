//go:build !windows

package lookup

import (
	"net/netip"
	"os"
)

// Servers returns the name servers of this system in their order; none if unknown.
func Servers() []netip.AddrPort {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	return parseServers(b)
}

// Search returns the search domains of this system.
func Search() []string {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	return parseSearch(b)
}
