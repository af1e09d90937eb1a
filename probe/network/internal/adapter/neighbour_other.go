//go:build !linux

package adapter

import "net/netip"

// IsAbsent is not implemented on this system.
func IsAbsent(netip.Addr) bool { return false }
