//go:build !linux

package echo

import "net"

// wasRepeated is not implemented here; these systems wait a second before they retransmit a SYN
// (RFC 6298 §2.1), which is the timeout of the connection.
func wasRepeated(net.Conn) bool { return false }
