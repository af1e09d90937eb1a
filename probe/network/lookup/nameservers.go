package lookup

import (
	"context"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// NameServers are the name servers of this computer, to be queried individually.
type NameServers interface {
	// Servers returns them in the system's order.
	Servers() []netip.AddrPort
	// Search returns the search domains of the system.
	Search() []string
	Ask(ctx context.Context, server netip.AddrPort, name string, kind dnsmessage.Type) (Answer, error)
}

// SystemNameServers are those of the system.
type SystemNameServers struct{}

// Servers returns them in the system's order.
func (SystemNameServers) Servers() []netip.AddrPort { return Servers() }

// Search returns the search domains of the system.
func (SystemNameServers) Search() []string { return Search() }

// Ask queries one of them.
func (SystemNameServers) Ask(ctx context.Context, server netip.AddrPort, name string, kind dnsmessage.Type) (Answer, error) {
	return Ask(ctx, server, name, kind)
}
