// Package echo sends single small packets without privileges and reports which
// machine on the path responded: the far end, or the router at which the packet's
// time to live expired (RFC 792, RFC 4443).
package echo

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Kind is the meaning of a response.
type Kind int

// Kinds of responses.
const (
	// Reached means that the far end itself responded, even if it refused.
	Reached Kind = iota + 1
	// Expired means that the time to live expired at a router on the path.
	Expired
	// Unreachable means that a router on the path has no route to the far end.
	Unreachable
	// Prohibited means that a firewall on the path rejected the packet. "Port
	// unreachable" from a router instead of the far end is included: nftables and
	// iptables send it for reject without an option.
	Prohibited
)

// Reply is the response to one packet.
type Reply struct {
	From netip.Addr
	Kind Kind
	RTT  time.Duration
	// ICMPError is true for an ICMP error. Routers rate limit them (Linux: one per
	// second and peer), so a missing one does not prove a loss.
	ICMPError bool
}

var (
	// ErrSilent means that there was no response in time.
	ErrSilent = errors.New("no answer in time")
	// ErrNotPermitted means that this system does not permit the program to send
	// the packet. It says nothing about the network.
	ErrNotPermitted = errors.New("the system does not permit it")
)

// Asker sends packets and waits for their responses. It is safe for concurrent use.
type Asker interface {
	// Ask sends one packet with the given time to live (0: the system's default)
	// and waits until ctx is done. The errors are [ErrSilent], [ErrNotPermitted] or
	// those of the system.
	Ask(ctx context.Context, to netip.Addr, ttl int) (Reply, error)
}

// System returns the implementation for this operating system.
func System() Asker { return system{} }

// PayloadBytes is the size of a packet without headers. It is smaller than that of
// a voice packet, so that the many packets do not cause loss themselves.
const PayloadBytes = 16
