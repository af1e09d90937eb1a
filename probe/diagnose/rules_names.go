package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// dnsFailure requires evidence that the network works. If a name server answered and
// only this name is affected, the address is probably wrong rather than the line; if it
// is our collector's name, it says nothing about the participant.
func dnsFailure(f *facts) *finding {
	if f.web == nil || f.web.DNSError == "" || f.web.Stage != "" {
		return nil
	}
	if f.throughProxy() || f.proxyFault() != "" {
		return nil // the proxy's own name, or nobody but the proxy looks up names
	}
	kind := f.web.DNSError
	if kind == "false" {
		return fault(likely, ofWeb("dns_error", kind, "")) // an answer, but without a usable address
	}
	ofName := slices.Contains([]string{"not_found", "hidden", "search_domain", "hijacked"}, kind)
	answered := isTrue(f.web.Online) || f.lineAlive() || kind == "hijacked"
	if !answered || !ofName && f.lineLoses() {
		return nil
	}
	hit := fault(likely, ofWeb("dns_error", kind, ""))
	if !ofName && !f.lineReached() {
		return hit
	}
	// Only this name is not found: its own name servers may be at fault.
	hit.confidence, hit.area = suggested, report.AreaUnknown
	if kind == "hidden" {
		hit.area = report.AreaParticipant // their router, by a deliberate setting
	}
	if slices.Contains([]string{"municipality", "collector"}, f.web.AddressFrom) && kind != "hidden" {
		// The participant did not write it and cannot correct it.
		hit.area = report.AreaMunicipality
		hit.evidence = slices.Insert(hit.evidence, 0, ofWeb("address_from", f.web.AddressFrom, ""))
	}
	if !f.conferenceChecked() {
		hit.severity, hit.blind = report.SeverityWarn, true
		if kind != "hidden" {
			hit.area = report.AreaMunicipality
		}
	}
	return hit
}
