package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/report"
)

// linkDefinitions are the causes that lie in one segment of the way, so that
// they explain what the voice stream lost on all of it.
func linkDefinitions() []Definition {
	access := []string{"net.offline", "net.captive_portal"}
	along := []string{report.ProbeNetworkLink, report.ProbeNetworkPath, report.ProbeMediaVoice}
	segment := func(code string, area report.Area, needs []string, r rule, more ...string) Definition {
		return Definition{
			Code: code, Severity: report.SeverityFail, Area: area, Needs: needs,
			SuppressedBy: append(access[:2:2], more...), rule: r,
		}
	}
	return []Definition{
		segment("net.wifi_weak", report.AreaParticipant, along, wifiWeak),
		segment("net.lan_loss", report.AreaParticipant, along, lanLoss, "net.wifi_weak"),
		segment("net.access_loss", report.AreaProvider, along[1:], accessLoss),
		segment("net.server_loss", report.AreaMunicipality, along[1:], serverLoss),
	}
}

// surroundingDefinitions are circumstances: alone they keep nobody from being
// heard, and tell support where to look.
func surroundingDefinitions() []Definition {
	access := []string{"net.offline", "net.captive_portal"}
	circumstance := func(code string, s report.Severity, area report.Area, r rule, needs ...string) Definition {
		return Definition{Code: code, Severity: s, Area: area, Needs: needs, SuppressedBy: access, rule: r}
	}
	return []Definition{
		circumstance("net.ipv6_broken", report.SeverityWarn, report.AreaProvider, ipv6Broken, report.ProbeNetworkLink),
		circumstance("net.dns_slow", report.SeverityWarn, report.AreaParticipant, dnsSlow, report.ProbeNetworkWeb),
		circumstance("net.vpn_active", report.SeverityInfo, report.AreaParticipant, vpnActive, report.ProbeNetworkLink),
	}
}

func ofLink(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeNetworkLink, field, value, unit)
}

// faultSegment is where network.path placed the loss; "" when that is not known.
func (f *facts) faultSegment() string {
	if f.path == nil {
		return ""
	}
	return f.path.FaultSegment
}

func ofFaultSegment(segment string) report.Evidence {
	return observed(report.ProbeNetworkPath, "fault_segment", segment, "")
}

// voiceLost is the evidence that the voice stream lost packets in a direction.
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
		if pct, ok := number(m.value); ok {
			if _, limit, passed := m.limit.above(pct); passed {
				lost = append(lost, over(report.ProbeMediaVoice, m.field, pct, "%", limit))
			}
		}
	}
	return lost
}

// voiceKept says that the stream was measured both ways and lost less than disturbs.
func (f *facts) voiceKept() bool {
	v := f.stream()
	if v == nil {
		return false
	}
	_, up := number(v.UpLossPct)
	_, down := number(v.DownLossPct)
	return up && down && v.State == report.MediaComplete && len(f.voiceLost()) == 0
}

// gatewayLost is the evidence that the next router lost packets beyond chance.
func (f *facts) gatewayLost() *report.Evidence {
	if f.link == nil {
		return nil
	}
	pct, ok := number(f.link.GatewayLossPct)
	sent, haveSent := count(f.link.GatewaySent)
	if !ok || !haveSent || sent <= 0 {
		return nil
	}
	_, limit, passed := f.Link.GatewayLossPct.above(wilson(math.Round(pct*sent/100), sent)[0])
	if !passed {
		return nil
	}
	return new(over(report.ProbeNetworkLink, "gateway_loss_pct", pct, "%", limit))
}

// wifiWeak is a weak signal, or round trips to the router that stall. Either is
// only a remark while the voice does not suffer, and no word where the trouble
// lies elsewhere.
func wifiWeak(f *facts) *finding {
	if f.link == nil || f.link.Kind != "wifi" {
		return nil
	}
	weak, stalls := f.weakSignal(), f.wifiStalls()
	place := f.placeOfLoss()
	delay, _ := f.delayPlace()
	elsewhere := place.segment != "" && place.segment != atLAN || delay != "" && delay != atLAN
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
	if e := f.gatewayLost(); e != nil && !f.voiceKept() {
		hit.worsen(report.SeverityWarn)
		hit.supporting = append(hit.supporting, *e)
	}
	if place.segment == atLAN && !f.voiceKept() {
		hit.worsen(report.SeverityWarn)
		hit.supporting = append(hit.supporting, place.evidence...)
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

// wifiStalls: nothing gets lost, but the air stands still time and again, as
// with power saving and busy channels. The voice must suffer from it.
func (f *facts) wifiStalls() *finding {
	place, limit := f.delayPlace()
	if place != atLAN || jitterHigh(f) == nil {
		return nil
	}
	spread, ok := number(f.path.LANSpreadMS)
	if !ok {
		return nil
	}
	hit := disturbance(min(likely, byRatio(spread, limit)), over(report.ProbeNetworkPath, "lan_spread_ms", spread, "ms", limit))
	return hit
}

// lanLoss believes the path, or the next router's own loss where the voice lost
// packets too and the path does not contradict: routers leave answers out.
func lanLoss(f *facts) *finding {
	gateway, voice := f.gatewayLost(), f.voiceLost()
	switch place := f.placeOfLoss(); {
	case place.segment == atLAN:
		hit := f.segmentLoss(place)
		if gateway != nil {
			hit.supporting = append(hit.supporting, *gateway)
		}
		return hit
	case place.segment == "" && f.faultSegment() == "" && gateway != nil && len(voice) > 0:
		hit := disturbance(suggested, *gateway)
		hit.supporting = voice
		return hit
	case f.routerLoses():
		hit := disturbance(suggested, *gateway)
		hit.worsen(f.pathLossSeverity())
		return hit
	}
	return nil
}

// accessLoss is a line that loses both ways. Where the voice lost clearly more
// one way, the rule of that way has the better word: the own way up is full.
func accessLoss(f *facts) *finding {
	place := f.placeOfLoss()
	if place.segment != atAccess && place.segment != atTransit || f.oneDirection() && len(f.voiceLost()) > 0 {
		return nil
	}
	return f.segmentLoss(place)
}

// segmentLoss is a loss of the path, which the voice stream meets as well; where
// that was measured at the same time and lost nothing, the loss is no trouble.
func (f *facts) segmentLoss(place lossPlace) *finding {
	hit := disturbance(place.confidence, place.evidence...)
	hit.supporting = f.voiceLost()
	switch v := f.stream(); {
	case f.voiceKept():
		hit.severity, hit.confidence = report.SeverityInfo, contradicted
	case v == nil || v.State != report.MediaComplete:
		hit.worsen(f.pathLossSeverity())
	}
	return hit
}

// serverLoss is a loss behind the provider, which is nobody's line: at the
// conference server while our collector is well, or on the way to the one
// server that was asked.
func serverLoss(f *facts) *finding {
	place := f.placeOfLoss()
	if place.segment != atServer {
		return nil
	}
	hit := disturbance(place.confidence, place.evidence...)
	hit.supporting = f.voiceLost()
	if v := f.stream(); v == nil || v.State != report.MediaComplete {
		hit.worsen(f.pathLossSeverity())
	}
	hit.area = f.ServerArea
	return hit
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
	if !ok || !passed {
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
