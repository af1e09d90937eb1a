package adapter

import (
	"net/netip"
	"strconv"
	"strings"
)

// IsAbsent says whether a neighbour that was just asked something does not even
// answer to its address (ARP, RFC 826). That none is known proves nothing: tunnels
// need no such answer.
func IsAbsent(neighbour netip.Addr) bool {
	return isAbsentFrom(readFile("/proc/net/arp"), neighbour)
}

// isAbsentFrom reads /proc/net/arp: address, type, flags, hardware address, …
// Flags are 0 where the kernel asks in vain (ATF_COM of linux/if_arp.h is missing).
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
			return false // there, by another interface
		}
		absent = true
	}
	return absent
}
