package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// turnDefinitions are about the relay (TURN, RFC 8656): the detour for whom the
// direct way is closed.
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

// relayWay is what nat.turn found on one way to the relay.
type relayWay struct {
	name               string // the beginning of its fields
	allocated, relayed *bool
	fault              string
}

func (w relayWay) works() bool { return isTrue(w.allocated) && !isFalse(w.relayed) }

func (w relayWay) ofFault() report.Evidence {
	return observed(report.ProbeNATTURN, w.name+"_error", w.fault, "")
}

// relayWays are the ways that were tried to their end.
func (f *facts) relayWays() (tried []relayWay) {
	if f.turn == nil {
		return nil
	}
	for _, w := range []relayWay{
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

// relayWorks reports whether data can take the detour.
func (f *facts) relayWorks() bool {
	for _, w := range f.relayWays() {
		if w.works() {
			return true
		}
	}
	return false
}

// relayAnswersInstead is the proof that the STUN server lives although it is
// silent to this computer: it answered by way of its own relay, which was reached
// over TCP or TLS.
func (f *facts) relayAnswersInstead() *report.Evidence {
	for _, w := range f.relayWays() {
		if w.name != "udp" && isTrue(w.allocated) && isTrue(w.relayed) {
			return new(observed(report.ProbeNATTURN, w.name+"_relayed", true, ""))
		}
	}
	return nil
}

// noRelayWorks is certain only where each way there is was tried to its end.
func (f *facts) noRelayWorks() bool {
	if f.turn == nil {
		return false
	}
	ways, known := count(f.turn.Ways)
	return known && ways > 0 && int(ways) == len(f.relayWays()) && !f.relayWorks()
}

// failedWith are the ways that failed for this reason, as evidence.
func (f *facts) failedWith(fault string) (evidence []report.Evidence) {
	for _, w := range f.relayWays() {
		if isFalse(w.allocated) && w.fault == fault {
			evidence = append(evidence, w.ofFault())
		}
	}
	return evidence
}

// turnAuthFailed is never the participant's: the collector made the credentials
// that its own relay refuses (RFC 8656 §9).
func turnAuthFailed(f *facts) *finding {
	refused := f.failedWith("auth_failed")
	if len(refused) == 0 {
		return nil
	}
	hit := &finding{severity: report.SeverityInfo, confidence: stated, evidence: refused}
	if f.voice != nil && f.voice.State == report.MediaICEFailed {
		hit.severity, hit.blind = report.SeverityWarn, true
	}
	return hit
}

// turnUnreachable needs the server to answer otherwise; a server that is silent
// altogether says nothing of its relay. While one way works, or the voice found
// another, the others are a note for support.
func turnUnreachable(f *facts) *finding {
	closed := f.failedWith("unreachable")
	if len(closed) == 0 || !f.lineReached() && !f.relayWorks() {
		return nil
	}
	hit := &finding{severity: report.SeverityInfo, confidence: likely, evidence: closed}
	if f.relayIsAway() {
		hit.severity, hit.blind = report.SeverityWarn, true
	}
	return hit
}

// relayIsAway reports whether the server answers and no way to its relay does,
// while the voice found no other.
func (f *facts) relayIsAway() bool {
	return f.lineReached() && f.noRelayWorks() && len(f.failedWith("unreachable")) == len(f.relayWays()) &&
		f.voice != nil && f.voice.State == report.MediaICEFailed
}

// turnRequired: the voice took the detour and nothing says why, or it found no
// way and the server offers none.
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

// relayMissing reports whether the voice found no way, the server answers otherwise, and
// it offers no relay.
func (f *facts) relayMissing() bool {
	return f.offersNoRelay() && f.voice != nil && f.voice.State == report.MediaICEFailed && f.stunOverUDP()
}

// offersNoRelay reports whether the list of servers was there and named none.
func (f *facts) offersNoRelay() bool {
	if f.turn == nil {
		return false
	}
	ways, known := count(f.turn.Ways)
	return known && ways == 0
}
