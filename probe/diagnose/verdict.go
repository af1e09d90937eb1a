package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// verdict returns the answer to "will I be heard?".
func verdict(r *report.Report, f *facts, found []diagnosed) report.Verdict {
	worst, blind := 0, false
	for _, d := range found {
		if d.blind {
			blind = true
			continue
		}
		worst = max(worst, severityRank(d.severity))
	}
	switch {
	case worst == severityRank(report.SeverityFail):
		return report.NotReady
	case worst == severityRank(report.SeverityWarn):
		return report.Limited
	case !blind && cleared(r, f):
		return report.Ready
	}
	return report.Unknown
}

// cleared reports whether everything relevant that was requested was measured, and at
// least one thing was. A probe that is missing or was skipped was not requested; one
// that is unknown was.
//
// Relevant are: audio.input and media.voice always; network.web if a conference server
// was checked or the voice stream was not requested; nat if the voice stream was not
// requested; media.load only if none of these is relevant. nat.behavior and
// audio.output only add to a finding.
func cleared(r *report.Report, f *facts) bool {
	audio, voice := asked(r, report.ProbeAudioInput), asked(r, report.ProbeMediaVoice)
	web, nat := asked(r, report.ProbeNetworkWeb), asked(r, report.ProbeNAT)
	web = web && (f.conferenceChecked() || !voice)
	nat = nat && !voice
	load := asked(r, report.ProbeMediaLoad) && !audio && !voice && !web && !nat

	return (audio || voice || web || nat || load) &&
		(!audio || succeeded(r, report.ProbeAudioInput) && f.microphoneMeasured()) &&
		(!voice || succeeded(r, report.ProbeMediaVoice) && f.voiceMeasured()) &&
		(!web || succeeded(r, report.ProbeNetworkWeb) && f.web != nil && f.web.Stage == "http") &&
		(!nat || succeeded(r, report.ProbeNAT) && f.lineReached()) &&
		(!load || succeeded(r, report.ProbeMediaLoad) && f.loadMeasured())
}

// loadMeasured reports whether all values that the rules of a full line need were measured.
func (f *facts) loadMeasured() bool {
	if f.load == nil {
		return false
	}
	for _, p := range []*float64{f.load.UpKbps, f.load.DownKbps, f.load.IdleRTTMS, f.load.LoadedRTTUpMS, f.load.LoadedRTTDownMS} {
		if _, ok := number(p); !ok {
			return false
		}
	}
	return true
}

func asked(r *report.Report, probe string) bool {
	p, ok := r.Probe(probe)
	return ok && p.Status != report.StatusSkipped
}

// succeeded reports whether a probe has no fault by its own status. A probe that failed
// without a known cause clears nothing.
func succeeded(r *report.Report, probe string) bool {
	p, ok := r.Probe(probe)
	return ok && (p.Status == report.StatusOK || p.Status == report.StatusWarn)
}

// hasFinding reports whether a probe has any result, good or bad.
func hasFinding(r *report.Report, probe string) bool {
	p, ok := r.Probe(probe)
	return ok && p.Status != report.StatusUnknown && p.Status != report.StatusSkipped
}

// microphoneMeasured reports whether the microphone was heard with a voice.
func (f *facts) microphoneMeasured() bool {
	_, level := number(f.activeLevel())
	return level && f.in.State == report.CaptureComplete && f.spoken()
}

// voiceMeasured reports whether all values that the quality rules need were measured.
func (f *facts) voiceMeasured() bool {
	v := f.stream()
	if v == nil || v.State != report.MediaComplete {
		return false
	}
	for _, p := range []*float64{v.UpLossPct, v.DownLossPct, v.UpJitterMS, v.DownJitterMS, v.RTTP50MS} {
		if _, ok := number(p); !ok {
			return false
		}
	}
	return true
}
