//go:build !linux

package kerneltcp

import "net"

// FillQueues does nothing: other systems have no congestion control per connection,
// and their default fills queues.
func FillQueues(net.Conn) {}

func counters(net.Conn) (c count, ok bool) { return c, false }
