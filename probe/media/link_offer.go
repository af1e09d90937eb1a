package media

import (
	"net/netip"
	"strings"
)

// withoutAddresses takes the candidates out of an offer. They name every
// address of this machine, those of its home network and its VPN among them,
// and the reflector needs none: it is ICE-lite (RFC 8445 §2.5), sends no checks
// of its own and learns our addresses as peer-reflexive ones (§7.3.1.3). Loopback
// candidates stay: they tell it to answer with its loopback addresses, and no
// more about this machine.
func withoutAddresses(offer string) string {
	var b strings.Builder
	for line := range strings.Lines(offer) {
		if !strings.HasPrefix(line, "a=candidate:") || isLoopbackCandidate(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// isLoopbackCandidate reads the connection-address of a candidate (RFC 8839
// §5.1). One with a related address (raddr) names two.
func isLoopbackCandidate(line string) bool {
	fields := strings.Fields(line)
	if len(fields) < 8 || strings.Contains(line, " raddr ") {
		return false
	}
	addr, err := netip.ParseAddr(fields[4])
	return err == nil && addr.IsLoopback()
}
