package visit

import (
	"net/netip"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// CodePrivate: a media server named only addresses that its own network can use.
const CodePrivate = "private_address"

// carrierGrade is the address space that providers share among their customers (RFC 6598).
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// IsPrivate reports whether an address is of no use outside of its own network: a private one
// (RFC 1918, RFC 4193), a shared one (RFC 6598), or one of a link or of the computer itself.
func IsPrivate(at netip.Addr) bool {
	at = at.Unmap()
	return at.IsPrivate() || at.IsLoopback() || at.IsLinkLocalUnicast() || carrierGrade.Contains(at)
}

// ExplainPrivate names the reason if there is no path to a media server that announced private
// addresses only: behind a NAT, as in a container, the address of its network card is of no use
// to anybody outside. Whoever reaches the web server over a private address may be in its
// network. A relay beside the media server can use the address, so whoever reaches none of the
// relays has another fault. The relays must have been recorded.
func (v *Visit) ExplainPrivate(onlyPrivate, hasTURN bool) {
	reached := slices.ContainsFunc(v.Data.Relays, func(r report.TURNRelay) bool { return r.Allocated != nil && *r.Allocated })
	failed := v.Data.FailedStep == string(report.StepPath) && v.Data.FailedCode == "no_path"
	if !failed || !onlyPrivate || !v.reachedPublicly() || hasTURN && !reached {
		return
	}
	for i, c := range v.Data.Checks {
		if c.Name == report.StepPath {
			v.Data.Checks[i].Code, v.Data.FailedCode = CodePrivate, CodePrivate // the host stays
			return
		}
	}
}
