package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/report"
)

// accessDefinitions are the causes that prevent everything else.
func accessDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.offline", Position: 200, Severity: report.SeverityFail, Area: report.AreaParticipant, Local: true,
			Needs:   []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink},
			unheard: true,
			rule:    offline,
		},
		{
			Code: "net.captive_portal", Position: 210, Severity: report.SeverityFail, Area: report.AreaParticipant, Local: true,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeMediaVoice},
			SuppressedBy: []string{"net.offline"},
			rule:         captivePortal,
		},
	}
}

// connectionDefinitions are the causes that prevent a connection.
func connectionDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.dns_failure", Position: 800, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeMediaVoice},
			SuppressedBy: noAccess(),
			rule:         dnsFailure,
		},
		{
			Code: "net.proxy_required", Position: 810, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         proxyRequired,
		},
		{
			Code: "net.proxy_failed", Position: 820, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         proxyFailed,
		},
		{
			// Before the TLS inspection that may cause it: a conference cannot begin
			// without WebSockets, but with an inspection it can.
			Code: "net.websocket_blocked", Position: 830, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         websocketBlocked,
		},
		{
			Code: "net.tls_intercepted", Position: 840, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkWeb},
			SuppressedBy: noWeb(),
			rule:         tlsIntercepted,
		},
		{
			// A fail only if it explains a rejected certificate.
			Code: "net.clock_wrong", Position: 850, Severity: report.SeverityFail, Area: report.AreaParticipant, Local: true,
			Needs:        []string{report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         clockWrong,
		},
		{
			Code: "net.mtu_blackhole", Position: 860, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkPath, report.ProbeNetworkWeb},
			SuppressedBy: noWeb(),
			rule:         mtuBlackhole,
		},
	}
}

// blockedDefinitions are transports that are blocked while another one works.
func blockedDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.udp_blocked", Position: 1400, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeNATTURN, report.ProbeMediaVoice, report.ProbeNetworkPath},
			SuppressedBy: noWeb(),
			rule:         udpBlocked,
		},
	}
}

// ofWeb returns a value of network.web without a limit.
func ofWeb(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeNetworkWeb, field, value, unit)
}

// captivePortal is the probe's own finding from two signs.
func captivePortal(f *facts) *finding {
	if !f.behindPortal() {
		return nil
	}
	return fault(likely, ofWeb("captive_portal", true, ""))
}

// tlsIntercepted is a fail only if the connection failed. It is certain if the key was
// not the collector's, and likely if only the name of the issuer suggests it.
func tlsIntercepted(f *facts) *finding {
	if f.web == nil || !isTrue(f.web.TLSIntercepted) {
		return nil
	}
	hit := disturbance(likely)
	if f.web.TLSInspector != "" { // first, because it selects the texts
		hit.evidence = append(hit.evidence, ofWeb("tls_inspector", f.web.TLSInspector, ""))
	}
	hit.evidence = append(hit.evidence, ofWeb("tls_intercepted", true, ""))
	if f.web.TLSKey == "foreign" {
		hit.confidence = stated
		hit.evidence = append(hit.evidence, ofWeb("tls_key", f.web.TLSKey, ""))
	}
	if f.web.Stage == "tcp" {
		hit.severity = report.SeverityFail
	}
	if f.web.TLSError != "" {
		hit.evidence = append(hit.evidence, ofWeb("tls_error", f.web.TLSError, ""))
	}
	return hit
}

func udpBlocked(f *facts) *finding { return f.udpBlocked() }

// serverMayDropUDP reports that a reflector that answers over TCP only may be blocked at
// its own site: nothing shows that this computer or a machine near it drops UDP packets,
// and no others have reached the reflector.
func (f *facts) serverMayDropUDP() bool {
	if f.nat.Transmissions == nil {
		return false // this computer itself refused to send
	}
	p := f.neededPort(atTransit, "udp")
	near := p != nil && (p.RejectedBy == "lan" || p.RejectedBy == "provider")
	return !near && f.udpKept() == nil && f.reachable(f.NAT.ReflectorOpenedS.Value) == nil
}

// udpBlocked requires that another transport to the collector's servers works while UDP
// is silent; servers that are silent on all transports prove nothing.
func (f *facts) udpBlocked() *finding {
	if f.udpCut() {
		return f.udpCutOff()
	}
	if f.nat == nil || f.voiceConnected() && f.overUDP() {
		return nil
	}
	hit := disturbance(suggested, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	relay, onlyWeb, kept := f.relayAnswersInstead(), f.onlyWebPasses(), f.udpKept()
	doubt := false
	switch {
	case f.natSilent() && kept != nil && f.webReached():
		hit.confidence = likely
		hit.supporting = append(hit.supporting, kept...)
	case f.nat.UDP == report.ReachBlocked && f.nat.TCP == report.ReachOpen:
		hit.confidence = likely
		hit.supporting = append(hit.supporting, observed(report.ProbeNAT, "tcp", string(f.nat.TCP), ""))
		doubt = f.serverMayDropUDP()
	case f.nat.UDP == report.ReachBlocked && f.webReached():
		doubt = f.serverMayDropUDP()
	case f.natSilent() && relay != nil && (!f.udpLeaves() || onlyWeb != nil || f.reachable(f.NAT.ReflectorHeardS.Value) != nil):
		hit.supporting = append(hit.supporting, *relay)
	case onlyWeb != nil:
		hit.supporting = append(append(hit.supporting, ofWeb("stage", f.web.Stage, "")), onlyWeb...)
	default:
		return nil
	}
	if doubt {
		hit.confidence, hit.area = suggested, report.AreaUnknown
		if copies, ok := count(f.nat.Transmissions); ok { // selects the texts
			hit.supporting = append(hit.supporting, observed(report.ProbeNAT, "transmissions", copies, ""))
		}
	}
	if f.voice == nil {
		return hit
	}
	switch {
	case doubt:
		hit.blind = !f.voiceConnected()
	case f.voice.State == report.MediaICEFailed || f.voice.State == report.MediaDTLSFailed || f.voice.State == report.MediaNotFlowing:
		hit.severity = report.SeverityFail
		hit.evidence = append(hit.evidence, observed(report.ProbeMediaVoice, "state", string(f.voice.State), ""))
	case f.voiceConnected() && f.overTCP():
		hit.confidence = stated
		hit.supporting = append(hit.supporting, observed(report.ProbeMediaVoice, "path", f.voice.Path, ""))
	}
	return hit
}

// udpCut reports that UDP to the server, and with it the voice, ended in the middle of
// the stream while the server's machine continued to answer an echo or TCP.
func (f *facts) udpCut() bool {
	return f.path != nil && isTrue(f.path.UDPCut) && f.voice != nil && f.voice.State == report.MediaInterrupted
}

// udpCutOff requires the collector's report that its reflector was running after the
// end of the stream: a reflector that crashes looks the same from here.
func (f *facts) udpCutOff() *finding {
	word := f.awake(report.ProbeMediaVoice, f.voice.ServerAnsweredS)
	if word == nil {
		return nil
	}
	hit := fault(suggested, observed(report.ProbeNetworkPath, "udp_cut", true, ""), ofVoice("state", string(f.voice.State), ""))
	hit.supporting = word
	return hit
}

// clockWrong subtracts the uncertainty first. If a third clock agrees with this
// computer's, the server's is wrong. A clock by which the certificate is invalid
// prevents every connection.
func clockWrong(f *facts) *finding {
	if f.web == nil || isFalse(f.web.ClockConfirmed) {
		return nil
	}
	offset, ok := number(f.web.ClockOffsetMS)
	if !ok {
		return nil
	}
	uncertainty, ok := number(f.web.ClockUncertaintyMS)
	if !ok {
		uncertainty = f.Clock.UncertaintyMS.Value
	}
	sure := math.Abs(offset) - math.Abs(uncertainty)
	severity, limit, passed := f.Clock.OffsetMS.above(sure)
	if !passed {
		return nil
	}
	e := ofWeb("clock_offset_ms", offset, "ms")
	e.Limit = "±" + decimal(limit)
	hit := &finding{severity: severity, confidence: byRatio(sure, limit), evidence: []report.Evidence{e}}
	if f.web.TLSError == "expired" {
		hit.severity = report.SeverityFail
		hit.evidence = append(hit.evidence, ofWeb("tls_error", f.web.TLSError, ""))
	}
	if isTrue(f.web.ClockConfirmed) {
		hit.confidence = max(hit.confidence, stated)
		hit.supporting = append(hit.supporting, ofWeb("clock_confirmed", true, ""))
	}
	return hit
}

// mtuBlackhole is the probe's own finding: small packets to a server were answered,
// large ones were not, and no router reported why. Some firewalls drop only large
// pings, so these count only if a connection hangs as well. If nothing hangs, the voice
// with its small packets gets through, and the web connection adapted itself (RFC
// 4821). TLS that hung and succeeds with small packets is sufficient proof, and the
// only one for the direction down, unless packets of any size get lost: then the second
// attempt may have succeeded by chance.
func mtuBlackhole(f *facts) *finding {
	if f.web != nil && isTrue(f.web.TLSSmallPackets) && f.webHangs() && !f.lineLoses() {
		return fault(stated, ofWeb("stage", f.web.Stage, ""), ofWeb("tls_small_packets", true, ""))
	}
	if f.path == nil || !isTrue(f.path.MTUBlackhole) {
		return nil
	}
	hit := &finding{
		severity: report.SeverityInfo, confidence: likely,
		evidence: []report.Evidence{observed(report.ProbeNetworkPath, "mtu_blackhole", true, "")},
	}
	hangs := f.webHangs()
	switch {
	case hangs:
		hit.severity, hit.confidence = report.SeverityFail, stated
		hit.supporting = append(hit.supporting, ofWeb("stage", f.web.Stage, ""))
	case f.path.MTUBy != "udp":
		return nil
	}
	if bytes, ok := count(f.path.MTUWorksBytes); ok {
		hit.supporting = append(hit.supporting, observed(report.ProbeNetworkPath, "mtu_works_bytes", bytes, "Byte"))
	}
	return hit
}

// webHangs reports whether the server accepted the connection and then no byte
// followed, neither of TLS nor of a response.
func (f *facts) webHangs() bool {
	if f.web == nil || f.behindPortal() || f.web.TLSError != "" || f.web.HTTPStatus != nil {
		return false
	}
	if f.proxyFault() != "" {
		return false // what hangs is the proxy
	}
	return f.web.Stage == "tcp" && f.web.TLSMS == nil || f.web.Stage == "tls" && f.web.HTTPMS == nil
}
