package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// turnDefinitions are the causes in the relay (TURN, RFC 8656), which is used if the
// direct path is blocked.
func turnDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.turn_auth_failed", Position: 1800, Severity: report.SeverityWarn, Area: report.AreaMunicipality, OneServer: true,
			Needs:        []string{report.ProbeNATTURN, report.ProbeNAT, report.ProbeMediaVoice},
			SuppressedBy: noWeb(),
			rule:         turnAuthFailed,
		},
		{
			Code: "net.turn_unreachable", Position: 1810, Severity: report.SeverityWarn, Area: report.AreaUnknown, OneServer: true,
			Needs:        []string{report.ProbeNATTURN, report.ProbeNAT, report.ProbeMediaVoice},
			SuppressedBy: slices.Concat(noWeb(), []string{"conf.server_down", "net.test_server_down", "net.udp_blocked"}),
			rule:         turnUnreachable,
		},
		{
			Code: "net.turn_required", Position: 1820, Severity: report.SeverityWarn, Area: report.AreaUnknown, OneServer: true,
			Needs:        []string{report.ProbeNATTURN, report.ProbeNAT, report.ProbeMediaVoice},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.udp_blocked", "conf.media_ports_blocked", "net.media_detour", "net.media_blocked"}),
			rule:         turnRequired,
		},
	}
}

// relayResult is the result of nat.turn for one transport.
type relayResult struct {
	name               string // prefix of its fields
	allocated, relayed *bool
	fault              string
}

func (w relayResult) works() bool { return isTrue(w.allocated) && !isFalse(w.relayed) }

func (w relayResult) ofFault() report.Evidence {
	return observed(report.ProbeNATTURN, w.name+"_error", w.fault, "")
}

// relayResults returns the transports whose test was completed.
func (f *facts) relayResults() (tried []relayResult) {
	if f.turn == nil {
		return nil
	}
	for _, w := range []relayResult{
		{"udp", f.turn.UDPAllocated, f.turn.UDPRelayed, f.turn.UDPError},
		{"tcp", f.turn.TCPAllocated, f.turn.TCPRelayed, f.turn.TCPError},
		{"tls", f.turn.TLSAllocated, f.turn.TLSRelayed, f.turn.TLSError},
	} {
		if w.allocated != nil {
			tried = append(tried, w)
		}
	}
	return tried
}

// relayWorks reports whether data can pass through the relay.
func (f *facts) relayWorks() bool {
	for _, w := range f.relayResults() {
		if w.works() {
			return true
		}
	}
	return false
}

// relayAnswersInstead returns the proof that the STUN server is running although it
// does not answer this computer: it answered through its own relay over TCP or TLS.
func (f *facts) relayAnswersInstead() *report.Evidence {
	for _, w := range f.relayResults() {
		if w.name != "udp" && isTrue(w.allocated) && isTrue(w.relayed) {
			return new(observed(report.ProbeNATTURN, w.name+"_relayed", true, ""))
		}
	}
	return nil
}

// noRelayWorks is true only if the tests of all configured transports were completed.
func (f *facts) noRelayWorks() bool {
	if f.turn == nil {
		return false
	}
	offered, known := count(f.turn.Transports)
	return known && offered > 0 && int(offered) == len(f.relayResults()) && !f.relayWorks()
}

// failedWith returns the transports that failed for this reason, as evidence.
func (f *facts) failedWith(fault string) (evidence []report.Evidence) {
	for _, w := range f.relayResults() {
		if isFalse(w.allocated) && w.fault == fault {
			evidence = append(evidence, w.ofFault())
		}
	}
	return evidence
}

// relayRefuses returns the transports over which the relay refused an address: it rejects the
// credentials, or has no address left (486 Allocation Quota Reached, 508 Insufficient Capacity;
// RFC 8656 §7.2).
func (f *facts) relayRefuses() []report.Evidence {
	return append(f.failedWith("auth_failed"), f.failedWith("quota")...)
}

// turnAuthFailed is never the participant's fault: the collector created the
// credentials that its own relay refuses (RFC 8656 §9).
func turnAuthFailed(f *facts) *finding {
	refused := f.relayRefuses()
	if len(refused) == 0 {
		return nil
	}
	hit := &finding{severity: report.SeverityInfo, confidence: stated, evidence: refused}
	if f.voice != nil && f.voice.State == report.MediaICEFailed {
		hit.severity, hit.blind = report.SeverityWarn, true
	}
	return hit
}

// turnUnreachable requires another response of the server: if the server is silent
// altogether, the state of its relay is unknown. While one transport works, or the voice
// found another path, it is a remark for support.
//
// A browser uses no relay whose certificate it rejects. That is the server's matter unless
// the participant's network inspects TLS.
func turnUnreachable(f *facts) *finding {
	closed, untrusted := f.failedWith("unreachable"), f.failedWith("tls")
	if f.web == nil || f.web.TLSMS == nil || f.web.TLSError != "" || isTrue(f.web.TLSIntercepted) {
		untrusted = nil
	}
	if len(closed)+len(untrusted) == 0 || !f.lineReached() && !f.relayWorks() {
		return nil
	}
	hit := &finding{severity: report.SeverityInfo, confidence: likely, evidence: append(closed, untrusted...)}
	if len(closed) == 0 {
		hit.area = report.AreaMunicipality
	}
	if f.relayIsAway() {
		hit.severity, hit.blind = report.SeverityWarn, true
	}
	return hit
}

// relayIsAway reports whether the server answers, but its relay cannot be reached and
// the voice found no other path.
func (f *facts) relayIsAway() bool {
	return f.lineReached() && f.noRelayWorks() && len(f.failedWith("unreachable"))+len(f.failedWith("tls")) == len(f.relayResults()) &&
		f.voice != nil && f.voice.State == report.MediaICEFailed
}

// turnRequired: the voice used the relay for an unknown reason, or it found no path and
// the server offers no relay.
func turnRequired(f *facts) *finding {
	if f.voiceConnected() && f.overRelay() {
		return &finding{
			severity: report.SeverityInfo, confidence: stated,
			evidence: []report.Evidence{ofVoice("path", f.voice.Path, "")},
		}
	}
	if !f.relayMissing() {
		return nil
	}
	hit := disturbance(suggested, ofVoice("state", string(f.voice.State), ""), observed(report.ProbeNATTURN, "ways", 0.0, ""))
	hit.area, hit.blind = report.AreaMunicipality, true
	if f.mappingDepends() {
		hit.confidence = likely
		hit.supporting = append(hit.supporting, ofNAT("mapping", f.behavior.Mapping))
	}
	return hit
}

// relayMissing reports whether the voice found no path, the server answers otherwise,
// and it offers no relay.
func (f *facts) relayMissing() bool {
	return f.offersNoRelay() && f.voice != nil && f.voice.State == report.MediaICEFailed && f.stunOverUDP()
}

// offersNoRelay reports whether the list of servers was received and contains no relay.
func (f *facts) offersNoRelay() bool {
	if f.turn == nil {
		return false
	}
	offered, known := count(f.turn.Transports)
	return known && offered == 0
}
