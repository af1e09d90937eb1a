//go:build !linux

package adapter

import "net/netip"

// IsAbsent is not known on this system.
func IsAbsent(netip.Addr) bool { return false }
