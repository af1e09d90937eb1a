package echo

import (
	"context"
	"net/netip"
)

// Knocker is an [Asker] that can also send packets of a given protocol and port, by
// which firewalls filter. An ICMP error for one whose time to live expired shows
// how far such packets get.
type Knocker interface {
	// Knock sends a SYN over TCP, or payload over UDP, with a time to live, and
	// waits until ctx is done. network is tcp or udp. Reached means any response of
	// the far end, including a refusal. The errors are those of Ask.
	Knock(ctx context.Context, network string, to netip.AddrPort, ttl int, payload []byte) (Reply, error)
}
