package media

import (
	"net/netip"
	"strings"
)

// withoutAddresses removes the candidates from an offer. They contain every address
// of this machine, including those of its home network and VPN, and the reflector
// does not need them: it is ICE-lite (RFC 8445 §2.5), sends no checks and learns
// our addresses as peer-reflexive ones (§7.3.1.3). Loopback candidates remain: they
// make the reflector answer with its loopback addresses, and reveal nothing about
// this machine.
func withoutAddresses(offer string) string {
	var b strings.Builder
	for line := range strings.Lines(offer) {
		if !strings.HasPrefix(line, "a=candidate:") || isLoopbackCandidate(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// isLoopbackCandidate checks the connection-address of a candidate (RFC 8839 §5.1).
// A candidate with a related address (raddr) contains two addresses.
func isLoopbackCandidate(line string) bool {
	fields := strings.Fields(line)
	if len(fields) < 8 || strings.Contains(line, " raddr ") {
		return false
	}
	addr, err := netip.ParseAddr(fields[4])
	return err == nil && addr.IsLoopback()
}
