package diagnose

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// loadDefinitions are the causes that appear while the line is full: because of
// media.load, of others, or of the voice itself.
func loadDefinitions() []Definition {
	return []Definition{
		{
			Code: "net.bandwidth_low_up", Position: 2600, Severity: report.SeverityFail, Area: report.AreaProvider,
			Needs:        []string{report.ProbeMediaLoad, report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         bandwidthLowUp,
		},
		{
			Code: "net.bandwidth_low_down", Position: 2610, Severity: report.SeverityFail, Area: report.AreaProvider,
			Needs:        []string{report.ProbeMediaLoad, report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         bandwidthLowDown,
		},
		{
			Code: "net.bufferbloat", Position: 2620, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeMediaLoad, report.ProbeMediaVoice, report.ProbeNetworkPath, report.ProbeNetworkWeb},
			SuppressedBy: noAccess(),
			rule:         bufferbloat,
		},
	}
}

func bandwidthLowUp(f *facts) *finding {
	if v := f.stream(); v != nil {
		if hit := tooNarrow("up_rate_kbps", v.UpRateKbps, v.UpLossPct, f.Link.UpKbps); hit != nil {
			return hit
		}
	}
	if f.load == nil {
		return nil
	}
	return bandwidthLow("up_kbps", f.load.UpKbps, f.Link.UpKbps)
}

func bandwidthLowDown(f *facts) *finding {
	if v := f.stream(); v != nil {
		if hit := tooNarrow("down_rate_kbps", v.DownRateKbps, v.DownLossPct, f.Link.DownKbps); hit != nil {
			return hit
		}
	}
	if f.load == nil {
		return nil
	}
	return bandwidthLow("down_kbps", f.load.DownKbps, f.Link.DownKbps)
}

func bandwidthLow(field string, rate *float64, limits Limit) *finding {
	kbps, ok := number(rate)
	severity, limit, passed := limits.below(kbps)
	if !ok || !passed || kbps < 0 {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(limit, max(kbps, 1)),
		evidence: []report.Evidence{under(report.ProbeMediaLoad, field, kbps, "kbit/s", limit)},
	}
}

// tooNarrow is a line on which even the voice left more slowly than it entered, packet
// by packet at the rate of the line.
func tooNarrow(field string, rate, lossPct *float64, limits Limit) *finding {
	kbps, ok := number(rate)
	severity, limit, passed := limits.below(kbps)
	if !ok || !passed || kbps < 0 {
		return nil
	}
	hit := &finding{
		severity: severity, confidence: likely,
		evidence: []report.Evidence{under(report.ProbeMediaVoice, field, kbps, "kbit/s", limit)},
	}
	if pct, ok := number(lossPct); ok && pct > 0 {
		hit.supporting = append(hit.supporting, ofVoice(strings.Replace(field, "rate_kbps", "loss_pct", 1), pct, "%"))
	}
	return hit
}

// bufferbloat is the additional delay while the line is full. If others fill it, only
// the voice stream shows it.
func bufferbloat(f *facts) *finding {
	if hit := standingQueue(f); hit != nil {
		return hit
	}
	if hit := underLoad(f); hit != nil {
		return hit
	}
	return overflowing(f)
}

// overflowing is a line whose queue was full while there was no voice stream: filled by
// others, or too narrow for a check. Neither that nor the direction can be determined.
func overflowing(f *facts) *finding {
	rise, limit, full := f.overflows()
	if !full {
		return nil
	}
	e := ofWeb("tcp_ms", *f.web.TCPMS, "ms")
	hit := fault(suggested, e)
	hit.area = report.AreaUnknown
	hit.supporting = []report.Evidence{over(report.ProbeNetworkPath, "segments", rise, "ms", limit)}
	return hit
}

// standingQueue is a delay of all packets that varies like the queue of one long
// transfer. It takes over the effect on the round trip.
func standingQueue(f *facts) *finding {
	up, down := f.queues()
	var hit *finding
	for _, m := range []struct {
		field string
		ms    float64
	}{{"up_queue_ms", up}, {"down_queue_ms", down}} {
		severity, limit, passed := f.Link.BloatMS.above(m.ms)
		if !passed {
			continue
		}
		if hit == nil {
			hit = &finding{}
		}
		hit.worsen(severity)
		hit.confidence = max(hit.confidence, min(likely, byRatio(m.ms, limit))*f.scheduleWeight())
		hit.evidence = append(hit.evidence, over(report.ProbeMediaVoice, m.field, m.ms, "ms", limit))
	}
	if hit == nil {
		return nil
	}
	if rtt, ok := number(f.stream().RTTP50MS); ok {
		hit.supporting = []report.Evidence{ofVoice("rtt_p50_ms", rtt, "ms")}
		if severity, _, reached := f.Voice.RTTMS.from(rtt); reached {
			hit.worsen(severity)
		}
	}
	return hit
}

// underLoad returns the increase of the round trip caused by media.load, of the worse
// direction.
func underLoad(f *facts) *finding {
	if f.load == nil {
		return nil
	}
	idle, ok := number(f.load.IdleRTTMS)
	if !ok {
		return nil
	}
	var hit *finding
	for _, m := range []struct {
		field string
		value *float64
	}{{"loaded_rtt_up_ms", f.load.LoadedRTTUpMS}, {"loaded_rtt_down_ms", f.load.LoadedRTTDownMS}} {
		loaded, ok := number(m.value)
		severity, limit, passed := f.Link.BloatMS.above(loaded - idle)
		if !ok || !passed {
			continue
		}
		if hit == nil {
			hit = &finding{supporting: []report.Evidence{observed(report.ProbeMediaLoad, "idle_rtt_ms", idle, "ms")}}
		}
		hit.worsen(severity)
		hit.confidence = max(hit.confidence, byRatio(loaded-idle, limit))
		e := observed(report.ProbeMediaLoad, m.field, loaded, "ms")
		e.Limit = "> idle + " + decimal(limit)
		hit.evidence = append(hit.evidence, e)
	}
	return hit
}
