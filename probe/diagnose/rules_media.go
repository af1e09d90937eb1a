package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// mediaDefinitions are the causes that show on the way of sound and pictures
// while the way of signalling works.
func mediaDefinitions() []Definition {
	return []Definition{
		{
			Code: "conf.media_ports_blocked", Position: 1600, Severity: report.SeverityWarn, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNetworkWeb, report.ProbeNetworkPath, report.ProbeNATTURN),
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

// noPathDefinitions come last of the connection: they say only that no way was
// found, and all that knows a reason goes before.
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

// stunOverUDP reports whether small questions over UDP are answered.
func (f *facts) stunOverUDP() bool { return f.nat != nil && f.nat.UDP == report.ReachOpen }

// mediaPortsBlocked: the server's STUN port answers over UDP, and still the voice
// had to take the relay beside it. ICE tries the server's media port first, over
// UDP and then over TCP (RFC 8445 §5.1.2, RFC 6544), and that the voice arrived
// shows that the port itself is served. Which firewall it is cannot be told.
//
// Where the voice found no way at all, the collector's word that the media port
// answers takes the place of that proof. The firewall may be the collector's own
// then, so that nobody is blamed.
//
// At a conference server it is a call that took a relay of that server.
func mediaPortsBlocked(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceOverRelay()
	}
	return f.portsShut()
}

// portsShut is the finding of mediaPortsBlocked at the reflector.
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

// directEvidence is what the media port itself answered, where it was asked.
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

// reflectorShut: the collector's page came, its reflector answers the collector
// and nothing of it answers here over UDP. A firewall stands in between, and no
// sign tells at which end; where one does, it is net.udp_blocked.
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

// noPathAtAll says that neither the voice nor a relay found a way, and that
// neither distance nor loss accounts for it: those only take longer than a check
// has time. That our own relay refused what the collector signed is a fault of
// ours, and comes first.
func (f *facts) noPathAtAll() bool {
	return f.voice != nil && f.voice.State == report.MediaICEFailed && !f.relayWorks() &&
		len(f.failedWith("auth_failed")) == 0 && !f.isFar() && !f.lineLoses()
}

// tcpOnly: where the voice runs over TCP a lost packet holds up all behind it.
// That UDP is blocked altogether explains it; otherwise it is the media port.
func tcpOnly(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceOverTCP()
	}
	return f.onlyOverTCP()
}

// onlyOverTCP is the finding of tcpOnly at the reflector.
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

// mediaNotFlowing: a path was found and nothing came over it. The reflector's
// own log is the proof that it played its part; without one it may be at fault.
func mediaNotFlowing(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceMute()
	}
	return f.nothingFlows()
}

// nothingFlows is the finding of mediaNotFlowing at the reflector.
func (f *facts) nothingFlows() *finding {
	if f.voice == nil || f.voice.State != report.MediaNotFlowing && f.voice.State != report.MediaDTLSFailed {
		return nil
	}
	if f.voice.State == report.MediaDTLSFailed && f.lineLoses() {
		return nil // the handshake takes several packets each way, which got lost
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

// iceFailed says what is known: signalling works, and no way for the voice was
// found. It does not say whose firewall it is. Where the relay works, which
// stands beside the media port, that port is not served.
func iceFailed(f *facts) *finding {
	if f.conferenceChecked() {
		return f.conferenceNoPath()
	}
	return f.noPath()
}

// noPath is the finding of iceFailed at the reflector.
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
		for _, w := range f.relayWays() {
			if w.works() {
				hit.supporting = append(hit.supporting, observed(report.ProbeNATTURN, w.name+"_allocated", true, ""))
			}
		}
	}
	return hit
}
