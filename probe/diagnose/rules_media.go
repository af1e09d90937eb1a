package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// mediaDefinitions are the causes on the path of sound and pictures while signalling
// works.
func mediaDefinitions() []Definition {
	return []Definition{
		{
			Code: "conf.media_ports_blocked", Position: 1600, Severity: report.SeverityWarn, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeZoom, report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNetworkWeb, report.ProbeNetworkPath, report.ProbeNATTURN),
			SuppressedBy: slices.Concat(noWeb(), []string{"net.mtu_blackhole", "conf.server_down", "net.udp_blocked"}),
			rule:         mediaPortsBlocked,
		},
		{
			Code: "conf.tcp_only", Position: 1610, Severity: report.SeverityWarn, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNetworkWeb, report.ProbeNetworkPath, report.ProbeNATTURN),
			SuppressedBy: slices.Concat(noWeb(), []string{"net.mtu_blackhole", "conf.server_down", "net.udp_blocked", "conf.media_ports_blocked"}),
			rule:         tcpOnly,
		},
		{
			Code: "conf.media_not_flowing", Position: 1620, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeMediaVoice),
			SuppressedBy: slices.Concat(noWeb(), []string{"net.mtu_blackhole", "conf.server_down", "net.udp_blocked"}),
			rule:         mediaNotFlowing,
		},
	}
}

// noPathDefinitions are the last causes of a connection in the order of the catalogue:
// they report only that no path was found. Causes with a reason precede them.
func noPathDefinitions() []Definition {
	return []Definition{
		{
			Code: "conf.ice_failed", Position: 2000, Severity: report.SeverityWarn, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNATTURN, report.ProbeNATBehavior),
			SuppressedBy: slices.Concat(noWeb(), []string{"net.mtu_blackhole", "conf.server_down", "net.udp_blocked", "conf.media_ports_blocked", "net.turn_auth_failed", "net.turn_required"}),
			rule:         iceFailed,
		},
	}
}

// stunOverUDP reports whether STUN requests over UDP are answered.
func (f *facts) stunOverUDP() bool { return f.nat != nil && f.nat.UDP == report.ReachOpen }

// mediaPortsBlocked: the server's STUN port answers over UDP, but the voice had to use
// the relay next to it. ICE tries the server's media port first, over UDP and then over
// TCP (RFC 8445 §5.1.2, RFC 6544), and the arrival of the voice shows that the port is
// served. Whose firewall blocks it cannot be determined.
//
// If the voice found no path, the collector's report that the media port answers
// replaces that proof. The firewall may then be the collector's own, so that nobody is
// blamed.
//
// If a conference server was checked, only the path of a call to it counts. For a system whose
// path is not public, its published ports count.
func mediaPortsBlocked(f *facts) *finding {
	if hit := f.portsRejected(); hit != nil {
		return hit
	}
	if f.conferenceChecked() {
		return f.conferenceOverRelay()
	}
	return f.portsShut()
}

// portsShut is the finding of mediaPortsBlocked for the reflector.
func (f *facts) portsShut() *finding {
	if !f.stunOverUDP() {
		return f.reflectorShut()
	}
	if word := f.awake(report.ProbeNAT, f.nat.ServerAnsweredS); word != nil && f.noPathAtAll() {
		hit := disturbance(suggested, ofVoice("state", string(f.voice.State), ""))
		hit.blind, hit.supporting = true, append(word, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
		return hit
	}
	if !f.voiceConnected() || !f.overRelay() {
		return nil
	}
	hit := disturbance(likely, ofVoice("path", f.voice.Path, ""))
	hit.supporting = append(f.directEvidence(), observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	return hit
}

// directEvidence returns the answers of the media port itself, if it was tried.
func (f *facts) directEvidence() (evidence []report.Evidence) {
	for _, w := range []struct {
		field string
		open  *bool
	}{{"direct_udp", f.voice.DirectUDP}, {"direct_tcp", f.voice.DirectTCP}} {
		if w.open != nil {
			evidence = append(evidence, ofVoice(w.field, *w.open, ""))
		}
	}
	return evidence
}

// reflectorShut: the collector's page was received, and its reflector answers the
// collector, but not this computer over UDP. There is a firewall in between, at an
// unknown end; if the end is known, it is net.udp_blocked.
func (f *facts) reflectorShut() *finding {
	if !f.natSilent() || !f.webReached() || f.voiceConnected() && f.overUDP() || f.isFar() || f.lineLoses() || f.udpBlocked() != nil {
		return nil
	}
	word := f.awake(report.ProbeNAT, f.nat.ServerAnsweredS)
	if word == nil {
		return nil
	}
	hit := disturbance(suggested, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	hit.supporting = word
	if f.voiceConnected() {
		hit.supporting = append(hit.supporting, ofVoice("path", f.voice.Path, ""))
	} else {
		hit.blind = true
	}
	return hit
}

// noPathAtAll reports that neither the voice nor a relay found a path, and that this is
// not explained by distance or loss, which let a check run out of time. A relay that
// refuses an address is our fault and comes first.
func (f *facts) noPathAtAll() bool {
	return f.voice != nil && f.voice.State == report.MediaICEFailed && !f.relayWorks() &&
		len(f.relayRefuses()) == 0 && !f.isFar() && !f.lineLoses()
}

// tcpOnly: over TCP, a lost packet delays all packets after it. If UDP is blocked
// altogether, that explains it; otherwise the media port is at fault.
func tcpOnly(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceOverTCP()
	}
	return f.onlyOverTCP()
}

// onlyOverTCP is the finding of tcpOnly for the reflector.
func (f *facts) onlyOverTCP() *finding {
	if !f.voiceConnected() || !f.overTCP() {
		return nil
	}
	hit := disturbance(suggested, ofVoice("path", f.voice.Path, ""))
	if f.stunOverUDP() {
		hit.confidence = likely
		hit.supporting = append(hit.supporting, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	}
	return hit
}

// mediaNotFlowing: a path was found, but no echo arrived over it. The reflector's log
// proves that the reflector works; without a log it may be at fault.
func mediaNotFlowing(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceMute()
	}
	return f.nothingFlows()
}

// nothingFlows is the finding of mediaNotFlowing for the reflector.
func (f *facts) nothingFlows() *finding {
	if f.voice == nil || f.voice.State != report.MediaNotFlowing && f.voice.State != report.MediaDTLSFailed {
		return nil
	}
	if f.voice.State == report.MediaDTLSFailed && f.lineLoses() {
		return nil // the handshake takes several packets in each direction, which were lost
	}
	hit := fault(likely, ofVoice("state", string(f.voice.State), ""))
	arrived, logged := count(f.voice.UpReceived)
	if f.voice.State == report.MediaNotFlowing && logged {
		hit.supporting = append(hit.supporting, ofVoice("up_received", arrived, ""))
		return hit
	}
	hit.severity, hit.confidence, hit.blind = report.SeverityWarn, suggested, true
	return hit
}

// iceFailed reports that signalling works but the voice found no path. It does not tell
// whose firewall is responsible. If the relay next to the media port works, that port
// is not served.
func iceFailed(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceNoPath()
	}
	return f.noPath()
}

// noPath is the finding of iceFailed for the reflector.
func (f *facts) noPath() *finding {
	if f.voice == nil || f.voice.State != report.MediaICEFailed || f.mappingDepends() && f.noRelayWorks() || f.relayIsAway() {
		return nil
	}
	hit := disturbance(suggested, ofVoice("state", string(f.voice.State), ""))
	hit.blind = true
	if f.stunOverUDP() {
		hit.supporting = append(hit.supporting, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	}
	if f.relayWorks() {
		hit.area, hit.confidence = report.AreaMunicipality, likely
		for _, w := range f.relayResults() {
			if w.works() {
				hit.supporting = append(hit.supporting, observed(report.ProbeNATTURN, w.name+"_allocated", true, ""))
			}
		}
	}
	return hit
}
