package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// hostDefinitions are the causes in the load and the power supply of the computer. A
// busy computer is no fault by itself: except for a full disk, they are reported only
// if the sound has gaps, which they explain.
func hostDefinitions() []Definition {
	const severity, area = report.SeverityFail, report.AreaParticipant
	needs := []string{report.ProbeHostLoad, report.ProbeAudioInput}
	by := slices.Concat(noSound(), []string{"audio.rerouted"})
	return []Definition{
		{Code: "host.memory_low", Position: 704, Severity: severity, Area: area, Local: true, Needs: needs, SuppressedBy: by, ripe: ripeWithVoice, rule: memoryLow},
		// A machine without free memory is busy swapping.
		{Code: "host.cpu_overload", Position: 706, Severity: severity, Area: area, Local: true, Needs: needs, SuppressedBy: append(slices.Clone(by), "host.memory_low"), ripe: ripeWithVoice, rule: cpuOverload},
		{Code: "host.power_saving", Position: 708, Severity: severity, Area: area, Local: true, Needs: needs, SuppressedBy: append(slices.Clone(by), "host.memory_low", "host.cpu_overload"), ripe: ripeWithVoice, rule: powerSaving},
		{Code: "host.disk_full", Position: 3680, Severity: report.SeverityInfo, Area: area, Local: true, Needs: []string{report.ProbeHostLoad}, rule: diskFull},
	}
}

// explainsGaps returns a finding with the severity of the gaps in the sound; nil if
// there are none.
func (f *facts) explainsGaps(confidence float64, evidence ...report.Evidence) *finding {
	gaps := f.gapsInSound()
	if gaps == nil {
		return nil
	}
	return &finding{severity: gaps.severity, confidence: confidence, evidence: append(evidence, gaps.evidence...)}
}

// cpuOverload is a computer whose processors were always busy, or on which programs
// waited for them much of the time, while the sound had gaps.
func cpuOverload(f *facts) *finding {
	if f.host == nil {
		return nil
	}
	if v, ok := number(f.host.CPUPct); ok {
		if _, limit, passed := f.Host.CPUPct.above(v); passed {
			return f.explainsGaps(likely, over(report.ProbeHostLoad, "cpu_pct", v, "%", limit))
		}
	}
	if v, ok := number(f.host.CPUPressurePct); ok {
		if _, limit, passed := f.Host.CPUPressurePct.above(v); passed {
			return f.explainsGaps(suggested, over(report.ProbeHostLoad, "cpu_pressure_pct", v, "%", limit))
		}
	}
	return nil
}

// memoryLow is a computer without available memory while the sound had gaps.
func memoryLow(f *facts) *finding {
	if f.host == nil {
		return nil
	}
	if v, ok := number(f.host.MemoryPressurePct); ok {
		if _, limit, passed := f.Host.MemoryPressurePct.above(v); passed {
			return f.explainsGaps(likely, over(report.ProbeHostLoad, "memory_pressure_pct", v, "%", limit))
		}
	}
	if v, ok := number(f.host.MemoryFreeMB); ok {
		if _, limit, passed := f.Host.MemoryFreeMB.below(v); passed {
			return f.explainsGaps(suggested, under(report.ProbeHostLoad, "memory_free_mb", v, "MB", limit))
		}
	}
	return nil
}

// powerSaving is a computer that ran below its full speed while the sound had gaps.
func powerSaving(f *facts) *finding {
	switch {
	case f.host == nil:
		return nil
	case isTrue(f.host.Throttled):
		return f.explainsGaps(suggested, observed(report.ProbeHostLoad, "throttled", true, ""))
	case isTrue(f.host.PowerSaving):
		return f.explainsGaps(suggested, observed(report.ProbeHostLoad, "power_saving", true, ""))
	}
	return nil
}

// diskFull is a volume on which programs cannot store data any more. Browsers crash
// because of it; the sound is not affected.
func diskFull(f *facts) *finding {
	if f.host == nil {
		return nil
	}
	free, ok := number(f.host.DiskFreeMB)
	_, limit, passed := f.Host.DiskFreeMB.below(free)
	if !ok || !passed {
		return nil
	}
	return &finding{
		severity: report.SeverityInfo, confidence: stated,
		evidence: []report.Evidence{under(report.ProbeHostLoad, "disk_free_mb", free, "MB", limit)},
	}
}
