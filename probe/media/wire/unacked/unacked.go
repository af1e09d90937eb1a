// Package unacked limits how long data that was sent over TCP may remain unacknowledged. Without a
// limit, a connection whose line was lost silently fails only after minutes.
package unacked

import (
	"syscall"
	"time"
)

// Control returns a function for net.Dialer.Control and net.ListenConfig.Control. With it,
// connections fail if data remains unacknowledged for the given time, if the system supports that. A
// listener passes it on only without multipath TCP.
func Control(limit time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { set(fd, limit) })
	}
}
