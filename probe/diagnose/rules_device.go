package diagnose

import (
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// deviceDefinitions are the causes in the device and its state in the operating system:
// missing, inaccessible, muted, silent.
func deviceDefinitions() []Definition {
	return []Definition{
		{
			Code: "audio.no_user_session", Position: 400, Severity: report.SeverityWarn, Area: report.AreaUnknown,
			Needs: []string{report.ProbeAudioInput},
			rule:  noUserSession,
		},
		{
			Code: "audio.no_server", Position: 410, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: []string{"audio.no_user_session"},
			unheard:      true,
			rule:         noServer,
		},
		{
			Code: "audio.no_microphone", Position: 420, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: []string{"audio.no_user_session", "audio.no_server"},
			unheard:      true,
			deaf:         true,
			rule:         noMicrophone,
		},
		{
			Code: "host.device_unplugged", Position: 430, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: []string{"audio.no_user_session", "audio.no_server", "audio.no_microphone"},
			unheard:      true,
			deaf:         true,
			rule:         unplugged,
		},
		{
			Code: "audio.default_is_monitor", Position: 440, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: []string{"audio.no_user_session", "audio.no_server", "audio.no_microphone", "host.device_unplugged"},
			unheard:      true,
			deaf:         true,
			rule:         defaultIsMonitor,
		},
		{
			Code: "audio.privacy_blocked", Position: 450, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: []string{"audio.no_user_session", "audio.no_server", "audio.no_microphone", "audio.default_is_monitor"},
			unheard:      true,
			rule:         privacyBlocked,
		},
		{
			Code: "audio.in_use", Position: 460, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: []string{"audio.no_user_session", "audio.no_server", "audio.no_microphone", "audio.default_is_monitor", "audio.privacy_blocked"},
			unheard:      true,
			rule:         inUse,
		},
		{
			Code: "audio.os_muted", Position: 470, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged"}),
			unheard:      true,
			Meter:        MeterMuted,
			deaf:         true,
			rule:         osMuted,
		},
		{
			Code: "audio.os_volume_low", Position: 480, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged"}),
			ripe:         ripeWithVoice,
			deaf:         true,
			rule:         osVolumeLow,
		},
		{
			Code: "audio.stalled", Position: 490, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged"}),
			deaf:         true,
			rule:         stalled,
		},
		{
			Code: "audio.rerouted", Position: 500, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged"}),
			deaf:         true,
			rule:         rerouted,
		},
		{
			Code: "audio.wrong_device", Position: 510, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:           []string{report.ProbeAudioInput},
			SuppressedBy:    slices.Concat(noCapture(), []string{"host.device_unplugged", "audio.os_muted", "audio.os_volume_low", "audio.stalled"}),
			unheard:         true,
			OtherMicrophone: true,
			deaf:            true,
			rule:            wrongDevice,
		},
		{
			Code: "audio.digital_silence", Position: 520, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"host.device_unplugged", "audio.os_muted", "audio.os_volume_low", "audio.stalled", "audio.rerouted", "audio.wrong_device"}),
			unheard:      true,
			Meter:        MeterNoSound,
			deaf:         true,
			rule:         digitalSilence,
		},
	}
}

// ofInput returns a value of audio.input without a limit.
func ofInput(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeAudioInput, field, value, unit)
}

// captureEnded returns the finding for a capture whose final state is the reason.
func (f *facts) captureEnded(state report.CaptureState, confidence float64) *finding {
	if f.in == nil || f.in.State != state {
		return nil
	}
	return fault(confidence, ofInput("state", string(state), ""))
}

// privacyBlocked: in a browser, the permission is that of the page.
func privacyBlocked(f *facts) *finding {
	hit := f.captureEnded(report.CaptureRefused, likely)
	if hit != nil && f.in.Backend == browserBackend {
		hit.evidence = append(hit.evidence, ofInput("backend", browserBackend, ""))
	}
	return hit
}

// browserBackend is AudioInput.Backend of a browser.
const browserBackend = "browser"

// noServer includes a sound system that ended during the recording.
func noServer(f *facts) *finding {
	if f.in != nil && f.in.State == report.CaptureStalled && isTrue(f.in.ServerGone) {
		return fault(stated, ofInput("server_gone", true, ""))
	}
	return f.withReason(f.captureEnded(report.CaptureNoServer, stated))
}

// withReason adds why there is no sound system, if known.
func (f *facts) withReason(hit *finding) *finding {
	if hit != nil && f.in.NoSoundReason != "" {
		hit.evidence = append(hit.evidence, ofInput("no_sound_reason", string(f.in.NoSoundReason), ""))
	}
	return hit
}

// inUse names the program that holds the microphone, if the system tells.
func inUse(f *facts) *finding {
	hit := f.captureEnded(report.CaptureInUse, stated)
	if hit == nil {
		return nil
	}
	if f.in.Backend == browserBackend { // "NotReadableError" is also that of a device that the system blocks
		hit.confidence = likely
		hit.evidence = append(hit.evidence, ofInput("backend", browserBackend, ""))
	}
	if f.in.HeldBy != "" {
		hit.evidence = append(hit.evidence, ofInput("held_by", f.in.HeldBy, ""))
	} else if isTrue(f.in.UsedElsewhere) {
		hit.evidence = append(hit.evidence, ofInput("used_elsewhere", true, ""))
	}
	return hit
}

// noUserSession is a check that could not record: a service in session 0 of Windows has no
// access to the microphone of a person who is not logged in.
func noUserSession(f *facts) *finding {
	if f.in == nil || f.in.State != report.CaptureNoSession {
		return nil
	}
	hit := disturbance(stated, ofInput("state", string(f.in.State), ""))
	hit.blind = true
	return f.withReason(hit)
}

// noMicrophone also applies if the system offers only the recording of its own
// loudspeaker: PulseAudio makes that the default source if there is no other.
func noMicrophone(f *facts) *finding {
	if f.in == nil {
		return nil
	}
	if slices.Contains([]report.CaptureState{report.CaptureNoDevice, report.CaptureDeviceAbsent}, f.in.State) {
		return f.inRemoteSession(fault(stated, ofInput("state", string(f.in.State), "")))
	}
	if n, ok := count(f.in.Microphones); ok && n == 0 && isTrue(f.in.IsMonitor) {
		return f.inRemoteSession(fault(stated, ofInput("microphones", n, ""), ofInput("is_monitor", true, "")))
	}
	return nil
}

// inRemoteSession adds that the program runs in a session of a remote desktop, which receives
// the sound of a microphone only if that is forwarded.
func (f *facts) inRemoteSession(hit *finding) *finding {
	if isTrue(f.in.RemoteSession) {
		hit.evidence = append(hit.evidence, ofInput("remote_session", true, ""))
	}
	return hit
}

// defaultIsMonitor includes a monitor that somebody selected during the check. One that
// replaced an unplugged microphone was not selected.
func defaultIsMonitor(f *facts) *finding {
	switch {
	case f.in == nil:
		return nil
	case isTrue(f.in.IsMonitor):
		return fault(stated, ofInput("is_monitor", true, ""))
	case isTrue(f.in.EndIsMonitor) && isTrue(f.in.Rerouted):
		return fault(stated, ofInput("end_is_monitor", true, ""), ofInput("rerouted", true, ""))
	}
	return nil
}

// heardOnMS is the length in ms of sound with a voice that must follow a mute before the
// mute is doubted: the system reports it up to a second late.
const heardOnMS = 1500

// osMuted doubts a mute that a clear voice contradicts, because some drivers report the
// switch of another jack. A voice before the mute proves nothing.
func osMuted(f *facts) *finding {
	if f.in == nil || !isTrue(f.in.OSMuted) {
		return nil
	}
	evidence := []report.Evidence{ofInput("os_muted", true, "")}
	since, late := number(f.in.MutedAfterMS)
	if late {
		evidence = append(evidence, ofInput("muted_after_ms", since, "ms"))
	}
	captured, _ := f.heardFor()
	silence, known := number(f.in.EndSilenceMS)
	if f.spoken() && (!late || known && silence == 0 && captured-since >= heardOnMS) {
		hit := disturbance(contradicted, evidence...)
		hit.supporting = append(hit.supporting, ofInput("speech_ms", *f.in.SpeechMS, "ms"))
		return hit
	}
	return fault(stated, evidence...)
}

// osVolumeLow accepts a low volume if the voice is loud enough: some microphones are
// that sensitive.
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
	if since, late := number(f.in.VolumeAfterMS); late {
		// The voice before it proves nothing about what follows.
		hit.confidence = stated
		hit.evidence = append(hit.evidence, ofInput("volume_after_ms", since, "ms"))
		return hit
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

// stalled is a microphone whose sound stopped, unless this computer may have been too
// busy to read it: nobody should unplug a microphone because of that.
func stalled(f *facts) *finding {
	hit := f.soundStopped()
	if hit != nil && f.selfCheckVoid() {
		hit.severity, hit.confidence = report.SeverityInfo, suggested
		hit.supporting = append(hit.supporting, ofVoice("self_check", f.voice.SelfCheck, ""))
	}
	return hit
}

// soundStopped is a fail if the sound stopped for good, and a warning if it resumed. It
// does not include the end of the capture process, which may be our own fault, nor the
// pause of a change to another microphone, which may take seconds or last: that is
// rerouted, if the system reports it.
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

// rerouted is a stream that the system moved, or a default that changed while the
// stream stayed: the next program records from the other device.
func rerouted(f *facts) *finding {
	if f.in == nil {
		return nil
	}
	var evidence []report.Evidence
	if isTrue(f.in.Rerouted) {
		evidence = append(evidence, ofInput("rerouted", true, ""))
	}
	if isTrue(f.in.DefaultChanged) {
		evidence = append(evidence, ofInput("default_changed", true, ""))
	}
	if evidence == nil {
		return nil
	}
	hit := disturbance(likely, evidence...)
	if f.in.State == report.CaptureStalled { // and the other microphone is silent
		hit = fault(likely, append(evidence, ofInput("state", string(f.in.State), ""))...)
	}
	if at, ok := number(f.in.MovedAfterMS); ok {
		hit.supporting = append(hit.supporting, ofInput("moved_after_ms", at, "ms"))
	}
	return hit
}
