package diagnose

import (
	"github.com/tonprobe/tonprobe/probe/report"
)

// wrongDevice reports the result of recording from the other microphones at the same
// time. If the selected one heard a voice that is loud enough, it is the right one.
func wrongDevice(f *facts) *finding {
	if _, ok := f.heardFor(); !ok || f.in.VoiceDevice == "" {
		return nil
	}
	hit := fault(stated, ofInput("voice_device", f.in.VoiceDevice, ""))
	if f.in.VoiceDevice == f.in.Device { // with the same name, the person would select the same one again
		hit = fault(stated, ofInput("device", f.in.Device, ""))
	}
	if level, ok := number(f.in.VoiceDeviceLevelDBFS); ok {
		hit.evidence = append(hit.evidence, ofInput("voice_device_level_dbfs", level, "dBFS"))
	}
	level, ok := number(f.activeLevel())
	if !ok || !f.spoken() {
		return hit
	}
	if _, _, quiet := f.Audio.QuietDBFS.below(level); !quiet {
		return nil
	}
	hit.confidence = likely
	hit.supporting = append(hit.supporting, ofInput("active_level_dbfs", level, "dBFS"))
	return hit
}

// digitalSilence is a recording of zeros, one that becomes silent before its end, or
// one without speech in which zeros last long. Noise gates produce long runs of zeros
// between words too, so a voice excludes it.
func digitalSilence(f *facts) *finding {
	hit := f.silent()
	if hit == nil {
		return nil
	}
	if isTrue(f.in.OSUnread) { // then the system may have muted it
		hit.confidence = min(hit.confidence, likely)
		hit.supporting = append(hit.supporting, ofInput("os_unread", true, ""))
	}
	return hit
}

func (f *facts) silent() *finding {
	captured, ok := f.heardFor()
	if !ok {
		return nil
	}
	if isTrue(f.in.AllZero) && captured >= f.Audio.CapturedMinMS.Value {
		hit := fault(stated, ofInput("all_zero", true, ""), ofInput("captured_ms", captured, "ms"))
		hit.supporting = f.ofBluetooth()
		return f.inRemoteSession(hit)
	}
	if hit := f.silentEnd(); hit != nil || f.spoken() {
		return hit
	}
	zero, ok := number(f.in.DigitalZeroMS)
	severity, limit, passed := f.Audio.DigitalZeroMS.above(zero)
	if !ok || !passed || !f.speechMeasured() {
		return nil
	}
	return &finding{
		severity: severity, confidence: likely,
		evidence: []report.Evidence{over(report.ProbeAudioInput, "digital_zero_ms", zero, "ms", limit)},
	}
}

// ofBluetooth is a headset that may have stayed in the mode for music (A2DP): its microphone delivers nothing.
func (f *facts) ofBluetooth() []report.Evidence {
	if !isTrue(f.in.IsBluetooth) {
		return nil
	}
	return []report.Evidence{ofInput("is_bluetooth", true, "")}
}

// silentEnd: after the end of speech the room is still audible. If the pauses before
// were silent too, only a very long silence at the end counts.
func (f *facts) silentEnd() *finding {
	silence, ok := number(f.in.EndSilenceMS)
	if !ok {
		return nil
	}
	limits, confidence := f.Audio.PauseSilenceMS, suggested
	if isTrue(f.in.EndSilenceUnlike) {
		limits, confidence = f.Audio.EndSilenceMS, stated
	}
	severity, limit, passed := limits.above(silence)
	if !passed {
		return nil
	}
	hit := &finding{
		severity: severity, confidence: confidence,
		evidence: []report.Evidence{over(report.ProbeAudioInput, "end_silence_ms", silence, "ms", limit)},
	}
	if f.in.EndSilenceUnlike != nil {
		hit.evidence = append(hit.evidence, ofInput("end_silence_unlike", *f.in.EndSilenceUnlike, ""))
	}
	return hit
}
