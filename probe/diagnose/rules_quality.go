package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// qualityDefinitions are the causes in the voice stream. Upstream loss comes first: it
// is what the others hear.
func qualityDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.upload_loss", Position: 2400, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink),
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked", "conf.media_not_flowing", "net.media_blocked", "net.wifi_weak", "net.lan_loss", "net.access_loss", "net.server_loss"}),
			indicator:    indicatorLoss,
			rule:         uploadLoss,
		},
		{
			Code: "net.download_loss", Position: 2410, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs:        append(callingProbes(), report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink),
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked", "conf.media_not_flowing", "net.media_blocked", "net.wifi_weak", "net.lan_loss", "net.access_loss", "net.server_loss"}),
			indicator:    indicatorLoss,
			rule:         downloadLoss,
		},
		{
			Code: "net.jitter_high", Position: 2420, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs:        []string{report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink},
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked", "conf.media_not_flowing", "net.media_blocked", "net.wifi_weak"}),
			rule:         jitterHigh,
		},
		{
			Code: "net.latency_high", Position: 2430, Severity: report.SeverityFail, Area: report.AreaUnknown,
			Needs:        []string{report.ProbeMediaVoice, report.ProbeNAT, report.ProbeNetworkLink},
			SuppressedBy: noAccess(),
			indicator:    indicatorRTT,
			rule:         latencyHigh,
		},
		{
			Code: "net.reordering", Position: 2440, Severity: report.SeverityWarn, Area: report.AreaUnknown,
			Needs:        []string{report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkLink},
			SuppressedBy: slices.Concat(noAccess(), []string{"net.udp_blocked", "conf.media_not_flowing", "net.media_blocked", "net.jitter_high"}),
			rule:         reordering,
		},
	}
}

// ofVoice returns a value of media.voice without a limit.
func ofVoice(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeMediaVoice, field, value, unit)
}

func uploadLoss(f *facts) *finding {
	v := f.stream()
	if v == nil {
		return nil
	}
	up, _ := f.directions()
	return f.lossOneWay("up_loss_pct", v.UpLossPct, up.Known(), f.losses().upward(), f.Voice.UpLossPct)
}

func downloadLoss(f *facts) *finding {
	v := f.stream()
	if v == nil {
		return nil
	}
	_, down := f.directions()
	return f.lossOneWay("down_loss_pct", v.DownLossPct, down.Known(), f.losses().downward(), f.Voice.DownLossPct)
}

// upward returns the degree of the loss up. If it is certain that a direction loses
// packets but not which one, it is the one with the larger estimate.
func (l *losses) upward() degree {
	if l.up.severity == "" && l.down.severity == "" && l.Up.Pct >= l.Down.Pct {
		return l.worst
	}
	return l.up
}

// downward is upward for the other direction.
func (l *losses) downward() degree {
	if l.up.severity == "" && l.down.severity == "" && l.Down.Pct > l.Up.Pct {
		return l.worst
	}
	return l.down
}

// lossOneWay is a loss of the voice in one direction. A cause that names the segment
// explains it.
//
// A share without the number of packets has no interval, and proves no more than a
// disturbance.
func (f *facts) lossOneWay(field string, share *float64, counted bool, d degree, limits Limit) *finding {
	pct, ok := number(share)
	if _, limit, reached := limits.from(pct); ok && reached && !counted && f.losses().excluded == nothingIsLost {
		d = degree{report.SeverityWarn, limit, suggested}
	}
	if d.severity == "" || !ok {
		return nil
	}
	hit := &finding{
		severity: d.severity, confidence: d.sure,
		evidence: []report.Evidence{lossEvidence(report.ProbeMediaVoice, field, pct, Limit{Warn: &d.limit})},
	}
	if run, ok := number(f.voice.LongestGapMS); ok && run > 0 {
		hit.supporting = append(hit.supporting, ofVoice("longest_gap_ms", run, "ms"))
	}
	for _, e := range f.conferenceLost() {
		if e.Field == "media."+field {
			hit.supporting = append(hit.supporting, e)
		}
	}
	hit.supporting = append(hit.supporting, f.ownLine()...)
	return hit
}

// jitterHigh uses the RFC 3550 jitter of the worse direction, and the share that is too
// late for a 60 ms playout buffer.
func jitterHigh(f *facts) *finding { return f.jitter() }

// jitter is a noticeable delay variation in either direction.
func (f *facts) jitter() *finding {
	v := f.stream()
	if v == nil {
		return nil
	}
	var hit *finding
	for _, m := range []struct {
		field, unit string
		value       *float64
		compare     func(float64) (report.Severity, float64, bool)
		evidence    func(probe, field string, value float64, unit string, bound float64) report.Evidence
	}{
		{"up_jitter_ms", "ms", v.UpJitterMS, f.Voice.JitterMS.from, atLeast},
		{"down_jitter_ms", "ms", v.DownJitterMS, f.Voice.JitterMS.from, atLeast},
		{"late_pct_60ms", "%", v.LatePct60MS, f.Voice.LatePct.above, over},
	} {
		value, ok := number(m.value)
		severity, limit, passed := m.compare(value)
		if !ok || !passed || m.field == "late_pct_60ms" && f.queued() {
			continue
		}
		if hit == nil {
			hit = &finding{}
		}
		hit.worsen(severity)
		hit.confidence = max(hit.confidence, byRatio(value, limit)*f.scheduleWeight())
		hit.evidence = append(hit.evidence, m.evidence(report.ProbeMediaVoice, m.field, value, m.unit, limit))
	}
	if hit != nil {
		hit.supporting = f.ownLine()
	}
	return hit
}

// latencyHigh uses the median of the stream or, if the round trip is so long that there
// was no stream in time, that of the STUN request over UDP.
func latencyHigh(f *facts) *finding {
	probe, field, value := report.ProbeMediaVoice, "rtt_p50_ms", (*float64)(nil)
	switch v := f.stream(); {
	case v != nil && v.RTTP50MS != nil:
		value = v.RTTP50MS
	case f.nat != nil && !f.voiceConnected():
		probe, field, value = report.ProbeNAT, "udp_rtt_ms", f.nat.UDPRTTMS
	}
	rtt, ok := number(value)
	severity, limit, reached := f.Voice.RTTMS.from(rtt)
	if ok && reached && probe == report.ProbeMediaVoice && f.queued() {
		_, _, reached = f.Voice.RTTMS.from(f.withoutQueue(rtt))
	}
	if !ok || !reached {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(rtt, limit),
		evidence: []report.Evidence{atLeast(probe, field, rtt, "ms", limit)}, supporting: f.ownLine(),
	}
}

// reordering applies only if the lower end of the interval exceeds the limit: of 600
// packets a single one is 0.17 %, which exceeds the 0.05 % of Teams by chance.
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
	lower := Wilson95(n, up+down)[0]
	severity, limit, passed := f.Voice.ReorderedPct.above(lower)
	if !passed {
		return nil
	}
	e := ofVoice("reordered", n, "")
	e.Limit = "> " + decimal(limit) + " %"
	return &finding{severity: severity, confidence: byInterval(share, lower, limit), evidence: []report.Evidence{e}, supporting: f.ownLine()}
}
