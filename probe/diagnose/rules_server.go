package diagnose

import (
	"cmp"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// serverDefinitions are the causes in a server. If the conference server is at fault,
// the session cannot work. If none was checked, they refer to our own collector and
// reflector: a fault of these prevents the measurement, and no line is blamed. If one was
// checked, faults of our servers are net.test_server_down.
func serverDefinitions() []Definition {
	return []Definition{
		{
			Code: "conf.server_error", Position: 1200, Severity: report.SeverityFail, Area: report.AreaMunicipality,
			Needs:        append(callingProbes(), report.ProbeZoom, report.ProbeNetworkWeb, report.ProbeMediaVoice),
			SuppressedBy: noWeb(),
			rule:         serverError,
		},
		{
			Code: "conf.cert_invalid", Position: 1210, Severity: report.SeverityFail, Area: report.AreaMunicipality,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeMediaVoice},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.tls_intercepted", "net.clock_wrong"}),
			rule:         certInvalid,
		},
		{
			Code: "conf.server_down", Position: 1220, Severity: report.SeverityFail, Area: report.AreaMunicipality,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeNAT, report.ProbeNATTURN, report.ProbeMediaVoice, report.ProbeNetworkPath},
			SuppressedBy: slices.Concat(noWeb(), []string{"net.dns_failure", "net.tls_intercepted", "net.mtu_blackhole", "net.port_blocked", "conf.server_error", "conf.cert_invalid"}),
			rule:         serverDown,
		},
	}
}

// ofServer attributes a fault found by network.web to the conference server or to our
// collector. A fault of the collector matters only if it prevented a measurement; the
// result is nil if the echo worked.
func (f *facts) ofServer(hit *finding) *finding {
	if hit == nil {
		return nil
	}
	if f.conferenceChecked() {
		hit.area = f.ServerArea
		return hit
	}
	if f.voice != nil && f.voice.State == report.MediaComplete {
		return nil
	}
	hit.severity, hit.blind = report.SeverityWarn, true
	return hit
}

// serverError is a server that answers with an error of its own.
func serverError(f *facts) *finding {
	hit := f.ofServer(f.webFault())
	if system := f.conferenceFault(); system != nil && hit == nil {
		system.area = cmp.Or(system.area, f.ServerArea)
		hit = system
	}
	return f.withOwn(hit, f.echoFault())
}

// withOwn adds own, a fault of the collector's other servers, to hit, a fault of the web
// server, or returns it if there is no other. If a conference server was checked, hit is
// about that one, and own is not used.
func (f *facts) withOwn(hit, own *finding) *finding {
	switch {
	case f.conferenceChecked() || own == nil:
		return hit
	case hit == nil:
		return own
	}
	hit.supporting = append(hit.supporting, own.evidence...)
	return hit
}

// echoFault is a collector that refuses the voice stream because of an error of its
// own.
func (f *facts) echoFault() *finding {
	if f.voice == nil || f.voice.State != report.MediaServerError {
		return nil
	}
	return &finding{
		severity: report.SeverityWarn, confidence: likely, blind: true, endpoint: report.EndpointCollector,
		evidence: []report.Evidence{ofVoice("state", string(f.voice.State), "")},
	}
}

// webFault is a response of class 5xx from the server itself (RFC 9110 §15.6).
func (f *facts) webFault() *finding {
	if f.web == nil || !isFalse(f.web.ServerHealthy) || isFalse(f.web.Online) || f.behindPortal() {
		return nil
	}
	hit := fault(stated, ofWeb("server_healthy", false, ""))
	if status, ok := count(f.web.HTTPStatus); ok {
		hit.evidence = append(hit.evidence, ofWeb("http_status", status, ""))
	}
	return hit
}

// certInvalid is a certificate that browsers reject. One of an unknown authority may
// come from a machine in between, so that nobody is blamed; an expired one may be
// caused by this computer's clock, which explains it if it is wrong. A missing intermediate
// certificate is the server's.
func certInvalid(f *facts) *finding {
	faults := []string{"expired", "wrong_name", "untrusted"}
	if f.web == nil || !slices.Contains(faults, f.web.TLSError) || isTrue(f.web.TLSIntercepted) || f.behindPortal() {
		return nil
	}
	hit := f.ofServer(fault(likely, ofWeb("tls_error", f.web.TLSError, "")))
	if hit == nil {
		return nil
	}
	_, clock := number(f.web.ClockOffsetMS)
	if f.web.TLSError == "untrusted" && f.web.TLSKey == "own" {
		// TLS to the collector is not intercepted: then it is the server's own.
		hit.evidence = append(hit.evidence, ofWeb("tls_key", "own", ""))
		return hit
	}
	if isTrue(f.web.TLSIncomplete) && f.web.TLSKey != "foreign" {
		// Most browsers find the missing certificate themselves.
		hit.severity = report.SeverityWarn
		hit.evidence = append(hit.evidence, ofWeb("tls_incomplete", true, ""))
		return hit
	}
	if f.web.TLSError == "untrusted" || f.web.TLSError == "expired" && !clock {
		hit.confidence, hit.area = suggested, report.AreaUnknown
	}
	return hit
}

// serverDown collects the evidence that a server is silent while the line works.
func serverDown(f *facts) *finding {
	return f.withOwn(f.ofServer(f.targetSilent()), f.reflectorSilent())
}

// targetSilent judges the web server that network.web used.
func (f *facts) targetSilent() *finding {
	if f.web == nil || isFalse(f.web.Online) || f.behindPortal() || f.web.TCPMS != nil && f.isFar() {
		return nil
	}
	switch {
	case isTrue(f.web.NoRoute):
		return nil // no packet was sent to the server
	case f.lineLoses() && !f.targetNeverAnswered():
		return nil // its responses may be lost
	case f.proxyFault() != "" && !f.webReached(), f.web.Stage == "dns" && f.throughProxy():
		return nil // the proxy is silent, and nobody asked the server
	case f.web.Stage == "tls" && f.web.HTTPMS == nil:
		// It accepted the connection and then sent nothing: silent, or only slow.
		return disturbance(suggested, ofWeb("stage", f.web.Stage, ""))
	case f.web.Stage == "dns" && f.web.TCPMS == nil && f.lineReached():
		return fault(likely, ofWeb("stage", f.web.Stage, ""))
	case f.web.Stage == "dns" && f.web.TCPMS == nil && f.lineAlive():
		// Something on the path answers and the server does not: silent, or blocked.
		hit := fault(suggested, ofWeb("stage", f.web.Stage, ""))
		hit.supporting = append(hit.supporting, observed(report.ProbeNetworkPath, "line", f.path.Line, ""))
		return hit
	case f.web.Stage == "dns" && f.web.TCPMS == nil && isTrue(f.web.Online):
		// A machine refused the connection: the line works up to there.
		return fault(suggested, ofWeb("stage", f.web.Stage, ""), ofWeb("online", true, ""))
	}
	return nil
}

// reflectorSilent judges our own reflector while the web works. If the server is far
// away, the time may not have been sufficient.
func (f *facts) reflectorSilent() *finding {
	if f.udpCut() && f.udpCutOff() == nil {
		return &finding{
			severity: report.SeverityWarn, confidence: suggested, blind: true,
			evidence: []report.Evidence{ofVoice("state", string(f.voice.State), "")},
		}
	}
	if f.voiceConnected() || f.isFar() || f.lineLoses() {
		return nil
	}
	var evidence []report.Evidence
	var endpoint report.Endpoint
	if f.voice != nil && f.voice.State == report.MediaNoSignalling && (f.webReached() || f.lineAlive()) {
		endpoint = report.EndpointCollector // signalling is a request to its web server
		evidence = append(evidence, observed(report.ProbeMediaVoice, "state", string(f.voice.State), ""))
	}
	// One that answers the collector is not silent: something in between blocks it.
	if f.natSilent() && f.webReached() && !f.relayWorks() && f.onlyWebPasses() == nil &&
		f.awake(report.ProbeNAT, f.nat.ServerAnsweredS) == nil {
		evidence = append(evidence, observed(report.ProbeNAT, "udp", string(f.nat.UDP), ""))
	}
	if len(evidence) == 0 {
		return nil
	}
	return &finding{severity: report.SeverityWarn, confidence: suggested, blind: true, endpoint: endpoint, evidence: evidence}
}

func (f *facts) natSilent() bool {
	return f.nat != nil && f.nat.UDP == report.ReachServerSilent &&
		slices.Contains([]report.Reach{report.ReachServerSilent, report.ReachNotTested, ""}, f.nat.TCP)
}

// isFar reports whether the round trip to the server is so long that everything that
// needs several round trips times out. A TCP connection needs only one.
func (f *facts) isFar() bool {
	limit := f.Voice.RTTMS.Fail
	if limit == nil {
		return false
	}
	if f.nat != nil {
		if ms, ok := number(f.nat.UDPRTTMS); ok && ms >= *limit {
			return true
		}
	}
	if f.web == nil {
		return false
	}
	ms, ok := number(f.web.TCPMS)
	return ok && ms >= *limit
}
