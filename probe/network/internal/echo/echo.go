// Package echo sends one small packet without privileges and says which machine
// on the way answered it: the far end, or the router at which its time to live
// ran out (RFC 792, RFC 4443).
package echo

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Kind is what an answer means.
type Kind int

// The kinds of answers.
const (
	// Reached means that the far end itself answered, be it with a refusal.
	Reached Kind = iota + 1
	// Expired means that a router on the way threw the packet away because its
	// time to live had run out.
	Expired
	// Unreachable means that a router on the way has no way to go on.
	Unreachable
	// Prohibited means that a firewall on the way does not let the packet pass. A
	// router that says "port unreachable" in the place of the far end is one too: it
	// is what nftables and iptables send for reject without an option.
	Prohibited
)

// Reply is the answer to one packet.
type Reply struct {
	From netip.Addr
	Kind Kind
	RTT  time.Duration
	// Complaint is true for an ICMP error. Routers send few of them (Linux: one
	// a second to each peer), so that a missing one is no loss by itself.
	Complaint bool
}

var (
	// ErrSilent means that nothing came back in time.
	ErrSilent = errors.New("no answer in time")
	// ErrNotPermitted means that this system does not let the program ask. It
	// says nothing about the network.
	ErrNotPermitted = errors.New("the system does not permit it")
)

// Asker sends packets and waits for their answers. Several goroutines may use
// one at the same time.
type Asker interface {
	// Ask sends one packet to an address with a time to live, 0 being the
	// system's usual one, and waits until ctx is done. The errors are
	// [ErrSilent], [ErrNotPermitted] or those of the system.
	Ask(ctx context.Context, to netip.Addr, ttl int) (Reply, error)
}

// System is the way of this operating system.
func System() Asker { return system{} }

// payloadBytes is what a packet carries beside its headers: smaller than a voice
// packet, and never the reason for a loss. Many of them go out.
const payloadBytes = 16
