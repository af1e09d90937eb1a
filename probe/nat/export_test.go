package nat

import (
	"net/netip"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// RelayAddresses shows the outer tests what is tried.
func RelayAddresses(c wire.ICEConfig) (all []string) {
	for _, s := range relaysOf(c) {
		all = append(all, []string{"udp", "tcp", "tls"}[s.way]+" "+s.address())
	}
	return all
}

// AlternateOf shows the outer tests where an answer redirects to.
func AlternateOf(b []byte, family4 bool) (netip.AddrPort, string) {
	m := allocateMessage(b)
	if m == nil {
		return netip.AddrPort{}, ""
	}
	a := alternateOf(m, family4)
	return a.at, a.domain
}
