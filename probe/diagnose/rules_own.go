package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// ownDefinitions are the causes measured at the collector's own servers only, while a
// conference server was checked. A firewall found in this way usually affects the
// conference as well; a fault of our servers says nothing about it. If no conference
// server was checked, the same facts are causes conf.*.
func ownDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.test_server_down", Position: 1240, Severity: report.SeverityWarn, Area: report.AreaMunicipality, OneServer: true,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeNATTURN, report.ProbeMediaVoice, report.ProbeNetworkPath},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.dns_failure", "net.tls_intercepted", "net.mtu_blackhole", "net.port_blocked"}),
			rule:         testServerDown,
		},
		{
			Code: "net.media_detour", Position: 1630, Severity: report.SeverityWarn, Area: report.AreaUnknown, OneServer: true,
			Needs:        []string{report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNetworkWeb, report.ProbeNetworkPath, report.ProbeNATTURN},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.mtu_blackhole", "net.test_server_down", "net.udp_blocked"}),
			rule:         mediaDetour,
		},
		{
			Code: "net.media_blocked", Position: 1640, Severity: report.SeverityFail, Area: report.AreaUnknown, OneServer: true,
			Needs:        []string{report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNATTURN, report.ProbeNATBehavior},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.mtu_blackhole", "net.test_server_down", "net.udp_blocked"}),
			rule:         mediaBlocked,
		},
	}
}

// testServerDown is a collector or reflector that is silent or out of order. The voice
// was then not measured, which says nothing about the conference server.
func testServerDown(f *facts) *finding {
	if !f.conferenceChecked() {
		return nil
	}
	hit, silent := f.echoFault(), f.reflectorSilent()
	switch {
	case hit == nil:
		return silent
	case silent != nil:
		hit.supporting = append(hit.supporting, silent.evidence...)
	}
	return hit
}

// mediaDetour is a voice stream that reached the reflector only by a relay or over TCP.
func mediaDetour(f *facts) *finding {
	if !f.conferenceChecked() {
		return nil
	}
	if hit := f.portsShut(); hit != nil && !hit.blind {
		return hit
	}
	return f.onlyOverTCP()
}

// mediaBlocked is a voice stream that did not reach the reflector. If its relay refuses
// an address or there is none, that is the reason, which has its own cause.
func mediaBlocked(f *facts) *finding {
	if !f.conferenceChecked() {
		return nil
	}
	if hit := f.nothingFlows(); hit != nil {
		return hit
	}
	if hit := f.portsShut(); hit != nil && hit.blind {
		return hit
	}
	if len(f.relayRefuses()) > 0 || f.relayMissing() {
		return nil
	}
	return f.noPath()
}
