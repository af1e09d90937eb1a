package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// qualityDefinitions are the causes that show in the voice stream. Loss on the
// way up comes first: it is what the others hear.
func qualityDefinitions() []Definition {
	explained := []string{"net.offline", "net.captive_portal", "net.udp_blocked", "conf.media_not_flowing"}
	segments := []string{"net.wifi_weak", "net.lan_loss", "net.access_loss", "net.server_loss"}
	definition := func(code string, r rule, more ...string) Definition {
		return Definition{
			Code: code, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs: []string{report.ProbeMediaVoice}, SuppressedBy: append(explained[:4:4], more...), rule: r,
		}
	}
	reorder := definition("net.reordering", reordering, "net.jitter_high")
	reorder.Severity = report.SeverityWarn
	return []Definition{
		definition("net.upload_loss", uploadLoss, segments...),
		definition("net.download_loss", downloadLoss, segments...),
		definition("net.jitter_high", jitterHigh, "net.wifi_weak"),
		{
			Code: "net.latency_high", Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs: []string{report.ProbeMediaVoice, report.ProbeNAT}, SuppressedBy: explained[:2], rule: latencyHigh,
		},
		reorder,
	}
}

// ofVoice is a value of media.voice without a bound.
func ofVoice(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeMediaVoice, field, value, unit)
}

func uploadLoss(f *facts) *finding {
	v := f.stream()
	if narrow, _ := f.narrow(); v == nil || narrow || f.udpCut() {
		return nil
	}
	return f.loss("up_loss_pct", v.UpLossPct, v.UpLossCI95, f.Voice.UpLossPct)
}

func downloadLoss(f *facts) *finding {
	v := f.stream()
	if _, narrow := f.narrow(); v == nil || narrow || f.udpCut() {
		return nil
	}
	return f.loss("down_loss_pct", v.DownLossPct, v.DownLossCI95, f.Voice.DownLossPct)
}

// failNeeds is the confidence under which a loss beyond the fail limit is only
// called a disturbance: a few packets in a short stream prove no more.
const failNeeds = 0.8

// loss judges a share by its Wilson interval: the confidence is the probability
// that the true share passes the limit, near 1 when the interval's lower end does.
func (f *facts) loss(field string, share *float64, ci *report.Interval, limits Limit) *finding {
	pct, ok := number(share)
	severity, limit, passed := limits.above(pct)
	if !ok || !passed {
		return nil
	}
	lower, haveInterval := lowerEnd(ci)
	confidence := func(limit float64) float64 {
		if !haveInterval {
			return suggested
		}
		return byInterval(pct, lower, limit)
	}
	sure := confidence(limit)
	if severity == report.SeverityFail && sure < failNeeds && limits.Warn != nil {
		severity, limit = report.SeverityWarn, *limits.Warn
		sure = confidence(limit)
	}
	hit := &finding{
		severity: severity, confidence: sure,
		evidence: []report.Evidence{over(report.ProbeMediaVoice, field, pct, "%", limit)},
	}
	if run, ok := number(f.voice.LongestGapMS); ok && run > 0 {
		hit.supporting = append(hit.supporting, ofVoice("longest_gap_ms", run, "ms"))
	}
	return hit
}

// lowerEnd takes only what a share can be for an interval.
func lowerEnd(ci *report.Interval) (pct float64, ok bool) {
	if ci == nil || !(ci[0] >= 0 && ci[0] <= 100) {
		return 0, false
	}
	return ci[0], true
}

// jitterHigh takes the worse direction's RFC 3550 jitter, and what comes too
// late for a 60 ms playout buffer.
func jitterHigh(f *facts) *finding {
	v := f.stream()
	if v == nil {
		return nil
	}
	var hit *finding
	for _, m := range []struct {
		field, unit string
		value       *float64
		limit       Limit
	}{
		{"up_jitter_ms", "ms", v.UpJitterMS, f.Voice.JitterMS},
		{"down_jitter_ms", "ms", v.DownJitterMS, f.Voice.JitterMS},
		{"late_pct_60ms", "%", v.LatePct60MS, f.Voice.LatePct},
	} {
		value, ok := number(m.value)
		severity, limit, passed := m.limit.above(value)
		if !ok || !passed || m.field == "late_pct_60ms" && f.queued() {
			continue
		}
		if hit == nil {
			hit = &finding{}
		}
		hit.worsen(severity)
		hit.confidence = max(hit.confidence, byRatio(value, limit)*f.scheduleWeight())
		hit.evidence = append(hit.evidence, over(report.ProbeMediaVoice, m.field, value, m.unit, limit))
	}
	return hit
}

// latencyHigh takes the stream's median, or where the round trip is so long that
// no stream came about in time, that of the one question over UDP.
func latencyHigh(f *facts) *finding {
	probe, field, value := report.ProbeMediaVoice, "rtt_p50_ms", (*float64)(nil)
	switch v := f.stream(); {
	case v != nil && v.RTTP50MS != nil:
		value = v.RTTP50MS
	case f.nat != nil && !f.voiceConnected():
		probe, field, value = report.ProbeNAT, "udp_rtt_ms", f.nat.UDPRTTMS
	}
	rtt, ok := number(value)
	severity, limit, passed := f.Voice.RTTMS.above(rtt)
	if ok && passed && probe == report.ProbeMediaVoice && f.queued() {
		_, _, passed = f.Voice.RTTMS.above(f.withoutQueue(rtt))
	}
	if !ok || !passed {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(rtt, limit),
		evidence: []report.Evidence{over(probe, field, rtt, "ms", limit)},
	}
}

// reordering fires only when the lower end of the interval passes the limit:
// with 600 packets a single one is 0.17 % and passes Teams' 0.05 % by chance.
func reordering(f *facts) *finding {
	v := f.stream()
	if v == nil {
		return nil
	}
	n, haveN := count(v.Reordered)
	up, haveUp := count(v.UpReceived)
	down, haveDown := count(v.DownReceived)
	if !haveN || !haveUp || !haveDown || up+down <= 0 {
		return nil
	}
	share := 100 * min(1, n/(up+down))
	lower := wilson(n, up+down)[0]
	severity, limit, passed := f.Voice.ReorderedPct.above(lower)
	if !passed {
		return nil
	}
	e := ofVoice("reordered", n, "")
	e.Limit = "> " + decimal(limit) + " %"
	return &finding{severity: severity, confidence: byInterval(share, lower, limit), evidence: []report.Evidence{e}}
}
