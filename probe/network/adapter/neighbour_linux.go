package adapter

import (
	"net/netip"
	"strconv"
	"strings"
)

// IsAbsent reports whether a neighbour that was just contacted does not answer ARP (RFC 826). A missing entry proves nothing:
// tunnels need no ARP.
func IsAbsent(neighbour netip.Addr) bool {
	return isAbsentFrom(readFile("/proc/net/arp"), neighbour)
}

// isAbsentFrom parses /proc/net/arp: address, type, flags, hardware address, … Flags are 0 if the kernel received no reply
// (ATF_COM of linux/if_arp.h is missing).
func isAbsentFrom(table string, neighbour netip.Addr) bool {
	absent := false
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		a, err := netip.ParseAddr(f[0])
		flags, flagsErr := strconv.ParseUint(f[2], 0, 32)
		if err != nil || flagsErr != nil || a != neighbour {
			continue
		}
		if flags != 0 {
			return false // present on another interface
		}
		absent = true
	}
	return absent
}
