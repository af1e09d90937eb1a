package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// loadDefinitions are the causes that only show while the line is full.
func loadDefinitions() []Definition {
	definition := func(code string, area report.Area, r rule) Definition {
		return Definition{
			Code: code, Severity: report.SeverityFail, Area: area, Needs: []string{report.ProbeMediaLoad},
			SuppressedBy: []string{"net.offline", "net.captive_portal"}, rule: r,
		}
	}
	return []Definition{
		definition("net.bandwidth_low_up", report.AreaProvider, bandwidthLowUp),
		definition("net.bandwidth_low_down", report.AreaProvider, bandwidthLowDown),
		definition("net.bufferbloat", report.AreaParticipant, bufferbloat),
	}
}

func bandwidthLowUp(f *facts) *finding {
	if f.load == nil {
		return nil
	}
	return bandwidthLow("up_kbps", f.load.UpKbps, f.Link.UpKbps)
}

func bandwidthLowDown(f *facts) *finding {
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

// bufferbloat is how much longer packets wait while the line is full, the worse
// direction.
func bufferbloat(f *facts) *finding {
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
