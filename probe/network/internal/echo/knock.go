package echo

import (
	"context"
	"net/netip"
)

// Knocker is an [Asker] that can also send packets of a given kind. A firewall
// judges a packet by its protocol and port, so that a complaint about one whose
// time to live ran out shows how far this kind gets.
type Knocker interface {
	// Knock sends a SYN over TCP, or payload over UDP, with a time to live, and
	// waits until ctx is done. network is tcp or udp. Reached stands for any answer
	// of the far end, a refusal too. The errors are those of Ask.
	Knock(ctx context.Context, network string, to netip.AddrPort, ttl int, payload []byte) (Reply, error)
}
