//go:build !linux

package network

import "net"

// wasRepeated does not tell here; these systems wait a second before they
// repeat a SYN (RFC 6298 §2.1), which is as long as a connection is waited for.
func wasRepeated(net.Conn) bool { return false }
