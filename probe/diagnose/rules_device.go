package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// noCapture are the causes that let no sound of the right microphone arrive at
// all: nothing said about the sound means anything then.
func noCapture() []string {
	return []string{
		"audio.no_user_session", "audio.no_server", "audio.no_microphone",
		"audio.default_is_monitor", "audio.privacy_blocked", "audio.in_use",
	}
}

// noSound are the causes that let the microphone be silent.
func noSound() []string {
	return append(noCapture(), "audio.os_muted", "audio.os_volume_low", "audio.stalled", "audio.wrong_device", "audio.digital_silence")
}

// deviceDefinitions are the causes that lie in the device and its state in the
// operating system, in the order of docs: nothing there, access, muted, silent.
func deviceDefinitions() []Definition {
	return microphoneCauses(
		Definition{Code: "audio.no_user_session", Severity: report.SeverityWarn, Area: report.AreaUnknown, rule: noUserSession},
		Definition{Code: "audio.no_server", SuppressedBy: noCapture()[:1], rule: captureEnded(report.CaptureNoServer, stated)},
		Definition{Code: "audio.no_microphone", SuppressedBy: noCapture()[:2], rule: noMicrophone},
		Definition{Code: "audio.default_is_monitor", SuppressedBy: noCapture()[:3], rule: defaultIsMonitor},
		Definition{Code: "audio.privacy_blocked", SuppressedBy: noCapture()[:4], rule: captureEnded(report.CaptureRefused, likely)},
		Definition{Code: "audio.in_use", SuppressedBy: noCapture()[:5], rule: inUse},
		Definition{Code: "audio.os_muted", SuppressedBy: noCapture(), rule: osMuted},
		Definition{Code: "audio.os_volume_low", SuppressedBy: noCapture(), rule: osVolumeLow},
		Definition{Code: "audio.stalled", SuppressedBy: noCapture(), rule: stalled},
		Definition{Code: "audio.rerouted", SuppressedBy: noCapture(), rule: rerouted},
		Definition{
			Code:         "audio.wrong_device",
			SuppressedBy: append(noCapture(), "audio.os_muted", "audio.os_volume_low", "audio.stalled"),
			rule:         wrongDevice,
		},
		Definition{
			Code:         "audio.digital_silence",
			SuppressedBy: append(noCapture(), "audio.os_muted", "audio.os_volume_low", "audio.stalled", "audio.rerouted", "audio.wrong_device"),
			rule:         digitalSilence,
		},
	)
}

// microphoneCauses fills in what the causes of the microphone have in common,
// where they do not say otherwise.
func microphoneCauses(all ...Definition) []Definition {
	for i := range all {
		d := &all[i]
		d.Needs = []string{report.ProbeAudioInput}
		if d.Severity == "" {
			d.Severity = report.SeverityFail
		}
		if d.Area == "" {
			d.Area = report.AreaParticipant
		}
	}
	return all
}

// ofInput is a value of audio.input without a bound.
func ofInput(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeAudioInput, field, value, unit)
}

// fault is a finding of severity fail with the evidence given.
func fault(confidence float64, evidence ...report.Evidence) *finding {
	return &finding{severity: report.SeverityFail, confidence: confidence, evidence: evidence}
}

// disturbance is a finding of severity warn with the evidence given.
func disturbance(confidence float64, evidence ...report.Evidence) *finding {
	return &finding{severity: report.SeverityWarn, confidence: confidence, evidence: evidence}
}

func captureEnded(state report.CaptureState, confidence float64) rule {
	return func(f *facts) *finding {
		if f.in == nil || f.in.State != state {
			return nil
		}
		return fault(confidence, ofInput("state", string(state), ""))
	}
}

// inUse names the program that holds the microphone where the system tells.
func inUse(f *facts) *finding {
	hit := captureEnded(report.CaptureInUse, stated)(f)
	if hit == nil {
		return nil
	}
	if f.in.HeldBy != "" {
		hit.evidence = append(hit.evidence, ofInput("held_by", f.in.HeldBy, ""))
	} else if isTrue(f.in.UsedElsewhere) {
		hit.evidence = append(hit.evidence, ofInput("used_elsewhere", true, ""))
	}
	return hit
}

// noUserSession is blind: a service in Windows' session 0 cannot hear, which
// says nothing about the microphone of the person who is not logged in.
func noUserSession(f *facts) *finding {
	if f.in == nil || f.in.State != report.CaptureNoSession {
		return nil
	}
	hit := disturbance(stated, ofInput("state", string(f.in.State), ""))
	hit.blind = true
	return hit
}

// noMicrophone also fires where the system offers only the recording of its own
// loudspeaker: PulseAudio makes that the default source when nothing else is left.
func noMicrophone(f *facts) *finding {
	if f.in == nil {
		return nil
	}
	if slices.Contains([]report.CaptureState{report.CaptureNoDevice, report.CaptureDeviceAbsent}, f.in.State) {
		return fault(stated, ofInput("state", string(f.in.State), ""))
	}
	if n, ok := count(f.in.Microphones); ok && n == 0 && isTrue(f.in.IsMonitor) {
		return fault(stated, ofInput("microphones", n, ""), ofInput("is_monitor", true, ""))
	}
	return nil
}

func defaultIsMonitor(f *facts) *finding {
	if f.in == nil || !isTrue(f.in.IsMonitor) {
		return nil
	}
	return fault(stated, ofInput("is_monitor", true, ""))
}

// osMuted doubts a mute that a clear voice speaks against: some drivers report
// the switch of another jack.
func osMuted(f *facts) *finding {
	if f.in == nil || !isTrue(f.in.OSMuted) {
		return nil
	}
	muted := ofInput("os_muted", true, "")
	if f.spoken() {
		hit := disturbance(contradicted, muted)
		hit.supporting = append(hit.supporting, ofInput("speech_ms", *f.in.SpeechMS, "ms"))
		return hit
	}
	return fault(stated, muted)
}

// osVolumeLow lets a low volume pass when the voice arrives loud enough all the
// same: some microphones are that sensitive.
func osVolumeLow(f *facts) *finding {
	if f.in == nil {
		return nil
	}
	volume, ok := number(f.in.OSVolumeDB)
	if !ok {
		return nil
	}
	severity, limit, low := f.Audio.VolumeDB.below(volume)
	if !low {
		return nil
	}
	hit := &finding{
		severity: severity, confidence: byMargin(limit-volume, 2*levelScaleDB),
		evidence: []report.Evidence{under(report.ProbeAudioInput, "os_volume_db", volume, "dB", limit)},
	}
	if level, ok := number(f.activeLevel()); ok && f.spoken() {
		if _, _, quiet := f.Audio.QuietDBFS.below(level); !quiet {
			return nil
		}
		hit.confidence = stated
		hit.supporting = append(hit.supporting, ofInput("active_level_dbfs", level, "dBFS"))
	}
	return hit
}

// stalled is a microphone whose sound stopped, unless this computer may have
// been too busy to fetch it: nobody should pull out a microphone for that.
func stalled(f *facts) *finding {
	hit := f.soundStopped()
	if hit != nil && f.selfCheckVoid() {
		hit.severity, hit.confidence = report.SeverityInfo, suggested
		hit.supporting = append(hit.supporting, ofVoice("self_check", f.voice.SelfCheck, ""))
	}
	return hit
}

// soundStopped is a fail when the sound stopped for good and a warning when it came
// back. A death of the capture process is not here: it may be our own fault.
// Nor is the pause of a change to another microphone, which can take seconds,
// or that nothing came after it: that is rerouted, if the system says so.
func (f *facts) soundStopped() *finding {
	if f.in == nil {
		return nil
	}
	moved := isTrue(f.in.Rerouted)
	if f.in.State == report.CaptureStalled && !moved {
		return fault(stated, ofInput("state", string(f.in.State), ""))
	}
	for _, wait := range []struct {
		field string
		value *float64
		limit Limit
	}{
		{"longest_callback_gap_ms", f.in.LongestCallbackGapMS, f.Audio.CallbackGapMS},
		{"first_callback_ms", f.in.FirstCallbackMS, f.Audio.FirstCallbackMS},
	} {
		v, ok := number(wait.value)
		if wait.field == "longest_callback_gap_ms" && moved {
			continue
		}
		if severity, limit, passed := wait.limit.above(v); ok && passed {
			return &finding{
				severity: severity, confidence: byRatio(v, limit),
				evidence: []report.Evidence{over(report.ProbeAudioInput, wait.field, v, "ms", limit)},
			}
		}
	}
	return nil
}

func rerouted(f *facts) *finding {
	if f.in == nil || !isTrue(f.in.Rerouted) {
		return nil
	}
	if f.in.State == report.CaptureStalled { // and the other microphone is silent
		return fault(likely, ofInput("rerouted", true, ""), ofInput("state", string(f.in.State), ""))
	}
	return disturbance(likely, ofInput("rerouted", true, ""))
}

// wrongDevice repeats what audio.input found out by listening to the other
// microphones at the same time. Where the chosen one heard a voice that passes
// as loud enough, it is the right one all the same.
func wrongDevice(f *facts) *finding {
	if _, ok := f.heardFor(); !ok || f.in.VoiceDevice == "" {
		return nil
	}
	hit := fault(stated, ofInput("voice_device", f.in.VoiceDevice, ""))
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

// digitalSilence needs samples that are exactly zero: noise gates make long
// runs of zero between words too, so a voice clears it.
func digitalSilence(f *facts) *finding {
	captured, ok := f.heardFor()
	if !ok || f.spoken() {
		return nil
	}
	if isTrue(f.in.AllZero) && captured >= f.Audio.CapturedMinMS.Value {
		return fault(stated, ofInput("all_zero", true, ""), ofInput("captured_ms", captured, "ms"))
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
