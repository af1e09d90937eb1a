package diagnose

import (
	"math"
	"slices"

	"github.com/tonprobe/tonprobe/probe/diagnose/lossmodel"
	"github.com/tonprobe/tonprobe/probe/report"
)

// linkDefinitions are the causes in one segment of the path, which explain what the
// voice stream lost on the whole path.
func linkDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.wifi_weak", Position: 2200, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkLink, report.ProbeNetworkPath, report.ProbeMediaVoice},
			SuppressedBy: noAccess(),
			rule:         wifiWeak,
		},
		{
			Code: "net.lan_loss", Position: 2210, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        append(callingProbes(), report.ProbeNetworkLink, report.ProbeNetworkPath, report.ProbeMediaVoice),
			SuppressedBy: slices.Concat(noAccess(), []string{"net.wifi_weak"}),
			indicator:    indicatorLoss,
			rule:         lanLoss,
		},
		{
			Code: "net.access_loss", Position: 2220, Severity: report.SeverityFail, Area: report.AreaProvider,
			Needs:        append(callingProbes(), report.ProbeNetworkPath, report.ProbeMediaVoice),
			SuppressedBy: noAccess(),
			indicator:    indicatorLoss,
			rule:         accessLoss,
		},
		{
			Code: "net.server_loss", Position: 2230, Severity: report.SeverityFail, Area: report.AreaMunicipality,
			Needs:        append(callingProbes(), report.ProbeNetworkPath, report.ProbeMediaVoice),
			SuppressedBy: noAccess(),
			indicator:    indicatorLoss,
			rule:         serverLoss,
		},
	}
}

// lossCodes are the causes of lost packets.
func lossCodes() []string {
	return []string{"net.wifi_weak", "net.lan_loss", "net.access_loss", "net.server_loss", "net.upload_loss", "net.download_loss"}
}

// surroundingDefinitions are circumstances: alone they prevent nobody from being heard,
// but they show support where to look.
func surroundingDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.ipv6_broken", Position: 3000, Severity: report.SeverityWarn, Area: report.AreaProvider,
			Needs:        []string{report.ProbeNetworkLink},
			SuppressedBy: noAccess(),
			rule:         ipv6Broken,
		},
		{
			// A lost query is repeated after a second: the name server is not slow.
			Code: "net.dns_slow", Position: 3010, Severity: report.SeverityWarn, Area: report.AreaParticipant, Local: true,
			Needs:        []string{report.ProbeNetworkWeb, report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink},
			SuppressedBy: slices.Concat(noAccess(), lossCodes()),
			rule:         dnsSlow,
		},
		{
			Code: "net.vpn_active", Position: 3020, Severity: report.SeverityInfo, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeNetworkLink},
			SuppressedBy: noAccess(),
			rule:         vpnActive,
		},
	}
}

func ofLink(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeNetworkLink, field, value, unit)
}

// ownLine is what the way to the server begins with: the action for a cable or a tunnel differs from that
// for Wi-Fi.
func (f *facts) ownLine() (all []report.Evidence) {
	if f.link == nil {
		return nil
	}
	if isTrue(f.link.VPN) {
		all = append(all, ofLink("vpn", true, ""))
	}
	if f.link.Kind != "" {
		all = append(all, ofLink("kind", f.link.Kind, ""))
	}
	return all
}

// faultSegment returns the segment in which network.path found the loss; "" if unknown.
func (f *facts) faultSegment() string {
	if f.path == nil {
		return ""
	}
	return f.path.FaultSegment
}

func ofFaultSegment(segment string) report.Evidence {
	return observed(report.ProbeNetworkPath, "fault_segment", segment, "")
}

// voiceLost returns the loss of the voice stream, for a cause that another stream
// locates.
func (f *facts) voiceLost() (lost []report.Evidence) {
	v := f.stream()
	if v == nil {
		return nil
	}
	for _, m := range []struct {
		field string
		value *float64
		limit Limit
	}{{"up_loss_pct", v.UpLossPct, f.Voice.UpLossPct}, {"down_loss_pct", v.DownLossPct, f.Voice.DownLossPct}} {
		if pct, ok := number(m.value); ok && pct > 0 {
			lost = append(lost, lossEvidence(report.ProbeMediaVoice, m.field, pct, m.limit))
		}
	}
	return append(lost, f.conferenceLost()...)
}

// conferenceLost returns the loss of the voice to the conference server.
func (f *facts) conferenceLost() (lost []report.Evidence) {
	up, down := f.conferenceDirections()
	for _, m := range []struct {
		field string
		count lossmodel.Count
		limit Limit
	}{{"media.up_loss_pct", up, f.Voice.UpLossPct}, {"media.down_loss_pct", down, f.Voice.DownLossPct}} {
		if pct := 100 * share(m.count); pct > 0 {
			lost = append(lost, lossEvidence(f.conference.probe, m.field, math.Round(100*pct)/100, m.limit))
		}
	}
	return lost
}

// lossEvidence returns a measured loss, with the limit if it reached one.
func lossEvidence(probe, field string, pct float64, limits Limit) report.Evidence {
	if _, limit, reached := limits.from(pct); reached {
		return atLeast(probe, field, pct, "%", limit)
	}
	return observed(probe, field, pct, "%")
}

// gatewayLost returns the loss of the stream to the next router.
func (f *facts) gatewayLost() (lost []report.Evidence) {
	if c := f.gateway(); c.Known() && c.Lost > 0 {
		lost = append(lost, ofLink("gateway_loss_pct", *f.link.GatewayLossPct, "%"))
	}
	return lost
}

// wifiWeak is a weak signal, or round trips to the router that stall. It is a remark
// unless the voice is affected, and is not reported if the fault is elsewhere.
func wifiWeak(f *facts) *finding {
	if f.link == nil || f.link.Kind != "wifi" {
		return nil
	}
	weak, stalls := f.weakSignal(), f.wifiStalls()
	losses := f.losses()
	delay, _ := f.delayPlace()
	elsewhere := losses.disturbs() && losses.place != "" && losses.place != atLAN || delay != "" && delay != atLAN
	switch {
	case weak == nil:
		return stalls
	case elsewhere && stalls == nil:
		return nil
	}
	hit := weak
	if stalls != nil {
		hit.worsen(stalls.severity)
		hit.supporting = append(hit.supporting, stalls.evidence...)
	}
	if losses.disturbs() && losses.place == atLAN {
		hit.worsen(losses.worst.severity)
		hit.supporting = append(append(hit.supporting, f.placeEvidence(atLAN)...), f.gatewayLost()...)
	}
	return hit
}

func (f *facts) weakSignal() *finding {
	dbm, ok := number(f.link.SignalDBM)
	_, limit, passed := f.Link.WiFiSignalDBM.below(dbm)
	if !ok || !passed {
		return nil
	}
	return &finding{
		severity: report.SeverityInfo, confidence: byMargin(limit-dbm, levelScaleDB),
		evidence: []report.Evidence{under(report.ProbeNetworkLink, "signal_dbm", dbm, "dBm", limit)},
	}
}

// wifiStalls: no packets are lost, but the transmission pauses repeatedly, as with
// power saving and busy channels. The voice must be affected.
func (f *facts) wifiStalls() *finding {
	place, limit := f.delayPlace()
	if place != atLAN || f.jitter() == nil {
		return nil
	}
	spread, ok := number(f.path.LANSpreadMS)
	if !ok {
		return nil
	}
	hit := disturbance(min(likely, byRatio(spread, limit)), over(report.ProbeNetworkPath, "lan_spread_ms", spread, "ms", limit))
	return hit
}

// lanLoss is loss on the path to the next router.
func lanLoss(f *facts) *finding {
	hit := f.segmentLoss(atLAN)
	if hit != nil {
		hit.supporting = slices.Concat(hit.supporting, f.gatewayLost(), f.ownLine())
	}
	return hit
}

// accessLoss is a line that loses packets in both directions. For one direction, the
// rule of that direction is more precise, for example that the participant's uplink is full.
func accessLoss(f *facts) *finding {
	if l := f.losses(); l.disturbs() && l.place == atAccess && l.oneWay() {
		return nil
	}
	return f.segmentLoss(atAccess)
}

// serverLoss is loss behind the provider: at the conference server while our collector
// has none, or on the path to the only server that was measured.
func serverLoss(f *facts) *finding {
	hit := f.segmentLoss(atServer)
	if hit != nil {
		hit.area = f.ServerArea
	}
	return hit
}

// segmentLoss is loss in one segment. Its severity is that of all streams together. A
// loss that only the path found, and the voice did not, is a remark.
func (f *facts) segmentLoss(at string) *finding {
	l := f.losses()
	narrowUp, narrowDown := f.narrow()
	switch evidence := f.placeEvidence(at); {
	case narrowUp || narrowDown || len(evidence) == 0:
		return nil
	case l.disturbs() && l.place == at:
		hit := &finding{severity: l.worst.severity, confidence: min(stated, l.sure*l.worst.sure), evidence: evidence}
		hit.supporting = f.voiceLost()
		return hit
	case l.disturbs() || f.placeOfPath() != at || l.excluded != "" && l.excluded != nothingIsLost:
		return nil
	}
	hit := disturbance(likely, ofFaultSegment(f.faultSegment()))
	hit.supporting = f.voiceLost()
	if l.excluded == "" || f.voiceComplete() && !(at == atServer && f.hasOwnBranch(atServer)) {
		hit.severity, hit.confidence = report.SeverityInfo, contradicted
	}
	return hit
}

// placeOfPath returns the segment named by network.path. What two servers share behind
// the provider's router belongs to the provider.
func (f *facts) placeOfPath() string {
	if s := f.faultSegment(); s != atTransit {
		return s
	}
	return atAccess
}

// voiceComplete reports that the voice was measured to the end.
func (f *facts) voiceComplete() bool {
	v := f.stream()
	return v != nil && v.State == report.MediaComplete && v.UpLossPct != nil && v.DownLossPct != nil
}

// hasOwnBranch reports that the path has a stream to a point that the voice does not
// reach: the conference server, if it is not the collector's machine.
func (f *facts) hasOwnBranch(name string) bool {
	return f.path != nil && slices.ContainsFunc(f.path.Segments, func(s report.PathSegment) bool { return s.Name == name })
}

// placeEvidence returns what locates a loss: the result of the path, or the stream to
// the end of the segment, or to the nearest point behind it, or the voice.
func (f *facts) placeEvidence(at string) []report.Evidence {
	if f.placeOfPath() == at {
		return []report.Evidence{ofFaultSegment(f.faultSegment())}
	}
	order := []string{atLAN, atAccess, atTransit, atServer}
	for _, name := range order[slices.Index(order, at):] {
		if f.segment(name).known() {
			return []report.Evidence{observed(report.ProbeNetworkPath, "segments", name, "")}
		}
	}
	if e := f.gatewayLost(); at == atLAN && len(e) > 0 {
		return e
	}
	return f.voiceLost()
}

func dnsSlow(f *facts) *finding {
	if f.web == nil || f.web.DNSError != "" {
		return nil
	}
	if isTrue(f.web.DNSServerSilent) {
		hit := disturbance(likely, ofWeb("dns_server_silent", true, ""))
		if ms, ok := number(f.web.DNSMS); ok {
			hit.supporting = append(hit.supporting, ofWeb("dns_ms", ms, "ms"))
		}
		return hit
	}
	if isTrue(f.web.DNSSilent6) {
		return disturbance(likely, ofWeb("dns_silent6", true, ""))
	}
	ms, ok := number(f.web.DNSMS)
	severity, limit, passed := f.Link.DNSMS.above(ms)
	if !ok || !passed || f.lossExplains() {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(ms, limit),
		evidence: []report.Evidence{over(report.ProbeNetworkWeb, "dns_ms", ms, "ms", limit)},
	}
}

func vpnActive(f *facts) *finding {
	if f.link == nil || !isTrue(f.link.VPN) {
		return nil
	}
	return &finding{severity: report.SeverityInfo, confidence: stated, evidence: []report.Evidence{ofLink("vpn", true, "")}}
}
