package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/report"
)

// accessDefinitions are the causes without whose repair nothing else can work.
func accessDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.offline", Position: 200, Severity: report.SeverityFail, Area: report.AreaParticipant, Local: true,
			Needs: []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink},
			rule:  offline,
		},
		{
			Code: "net.captive_portal", Position: 210, Severity: report.SeverityFail, Area: report.AreaParticipant, Local: true,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeMediaVoice},
			SuppressedBy: []string{"net.offline"},
			rule:         captivePortal,
		},
	}
}

// connectionDefinitions are the causes that keep a connection from coming about.
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
			// Before the inspection that may be behind it: without WebSockets no
			// conference begins, with an inspection alone it does.
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
			// A fail only where it explains a certificate that cannot be believed.
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

// blockedDefinitions are the ways that are closed while another is open.
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

// ofWeb is a value of network.web without a bound.
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

// tlsIntercepted is a fail only where the connection did not come about. It is
// certain where the key was not one of the collector's, and likely where only the
// issuer's name says so.
func tlsIntercepted(f *facts) *finding {
	if f.web == nil || !isTrue(f.web.TLSIntercepted) {
		return nil
	}
	hit := disturbance(likely)
	if f.web.TLSInspector != "" { // first: it picks the words
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

// udpBlocked needs another way to the same side that is open while UDP is
// silent; a server that is silent on every way blocks nobody.
func (f *facts) udpBlocked() *finding {
	if f.udpCut() {
		return f.udpCutOff()
	}
	if f.nat == nil || f.voiceConnected() && f.overUDP() {
		return nil
	}
	hit := disturbance(suggested, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	relay, onlyWeb, kept := f.relayAnswersInstead(), f.onlyWebPasses(), f.udpKept()
	switch {
	case f.natSilent() && kept != nil && f.webReached():
		hit.confidence = likely
		hit.supporting = append(hit.supporting, kept...)
	case f.nat.UDP == report.ReachBlocked && f.nat.TCP == report.ReachOpen:
		hit.confidence = likely
		hit.supporting = append(hit.supporting, observed(report.ProbeNAT, "tcp", string(f.nat.TCP), ""))
	case f.nat.UDP == report.ReachBlocked && f.webReached():
	case f.natSilent() && relay != nil && (!f.udpLeaves() || onlyWeb != nil || f.reachable(f.NAT.ReflectorHeardS.Value) != nil):
		hit.supporting = append(hit.supporting, *relay)
	case onlyWeb != nil:
		hit.supporting = append(append(hit.supporting, ofWeb("stage", f.web.Stage, "")), onlyWeb...)
	default:
		return nil
	}
	if f.voice == nil {
		return hit
	}
	switch {
	case f.voice.State == report.MediaICEFailed || f.voice.State == report.MediaDTLSFailed || f.voice.State == report.MediaNotFlowing:
		hit.severity = report.SeverityFail
		hit.evidence = append(hit.evidence, observed(report.ProbeMediaVoice, "state", string(f.voice.State), ""))
	case f.voiceConnected() && f.overTCP():
		hit.confidence = stated
		hit.supporting = append(hit.supporting, observed(report.ProbeMediaVoice, "path", f.voice.Path, ""))
	}
	return hit
}

// udpCut says that UDP to the server ended in the middle, and the voice with it,
// while the server's machine went on answering otherwise.
func (f *facts) udpCut() bool {
	return f.path != nil && isTrue(f.path.UDPCut) && f.voice != nil && f.voice.State == report.MediaInterrupted
}

// udpCutOff needs the collector's word that its reflector was awake when the
// stream had ended: a reflector that dies looks the same from here.
func (f *facts) udpCutOff() *finding {
	word := f.awake(report.ProbeMediaVoice, f.voice.ServerAnsweredS)
	if word == nil {
		return nil
	}
	hit := fault(suggested, observed(report.ProbeNetworkPath, "udp_cut", true, ""), ofVoice("state", string(f.voice.State), ""))
	hit.supporting = word
	return hit
}

// clockWrong takes the uncertainty off before it judges. Where a third clock agrees
// with this computer's, the server's is the one that is wrong. A clock by which the
// certificate cannot be believed keeps every connection from coming about.
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

// mtuBlackhole is the probe's own finding: small packets to a server were
// answered and none of the large ones was, and no router said why. Some
// firewalls drop large pings alone, so that those count only where a connection
// hangs as well. Where nothing hangs the voice, whose packets are small, gets
// through, and the web helped itself (RFC 4821). That TLS which hung comes about
// with small packets is proof by itself, and the only one for the way down, but
// where packets of any size get lost: there the second attempt was only lucky.
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

// webHangs reports whether the server took the connection and then not a byte
// more came through, neither of TLS nor an answer.
func (f *facts) webHangs() bool {
	if f.web == nil || f.behindPortal() || f.web.TLSError != "" || f.web.HTTPStatus != nil {
		return false
	}
	if f.proxyFault() != "" {
		return false // what hangs is the proxy
	}
	return f.web.Stage == "tcp" && f.web.TLSMS == nil || f.web.Stage == "tls" && f.web.HTTPMS == nil
}
