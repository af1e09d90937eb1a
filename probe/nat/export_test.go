package nat

import "github.com/tonprobe/tonprobe/probe/media/wire"

// RelayAddresses shows the outer tests what is tried.
func RelayAddresses(c wire.ICEConfig) (all []string) {
	for _, s := range relaysOf(c) {
		all = append(all, []string{"udp", "tcp", "tls"}[s.way]+" "+s.address())
	}
	return all
}
