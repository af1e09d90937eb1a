package nat

import (
	"net/netip"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// RelayAddresses exports the relays to be tested to the external tests.
func RelayAddresses(c wire.ICEConfig) (all []string) {
	for _, s := range relaysOf(c) {
		all = append(all, []string{"udp", "tcp", "tls"}[s.transport]+" "+s.address())
	}
	return all
}

// AlternateOf exports the target of a redirection to the external tests.
func AlternateOf(b []byte, family4 bool) (netip.AddrPort, string) {
	m := turnMessage(b)
	if m == nil {
		return netip.AddrPort{}, ""
	}
	a := alternateOf(m, family4)
	return a.at, a.domain
}
