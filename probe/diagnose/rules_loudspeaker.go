package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// loudspeakerDefinitions are the causes in the loop from the loudspeaker to the
// microphone.
func loudspeakerDefinitions() []Definition {
	return []Definition{
		{
			Code: "audio.speaker_silent", Position: 3200, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:       []string{report.ProbeAudioOutput, report.ProbeAudioInput},
			ToneUnheard: true,
			rule:        speakerSilent,
		},
		{
			Code: "audio.echo", Position: 3210, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioOutput},
			SuppressedBy: []string{"audio.default_is_monitor"},
			rule:         echo,
		},
	}
}

// ofOutput returns a value of audio.output without a limit.
func ofOutput(field string, value any, unit string) report.Evidence {
	return observed(report.ProbeAudioOutput, field, value, unit)
}

// speakerSilent uses the person's answer, which is valid for headphones too. Without an
// answer it reports a test sound that was not heard only if the microphone is known to
// work. A mute by the system counts in any case.
func speakerSilent(f *facts) *finding {
	if f.out == nil {
		return nil
	}
	if isTrue(f.out.ToneHeard) {
		return nil
	}
	if isTrue(f.out.OSMuted) && !isTrue(f.out.LoopHeard) {
		return disturbance(stated, ofOutput("os_muted", true, ""))
	}
	if isFalse(f.out.ToneHeard) {
		return disturbance(likely, ofOutput("tone_heard", false, ""))
	}
	if !isFalse(f.out.LoopHeard) || !f.voiceIsLoud() {
		return nil
	}
	hit := disturbance(suggested, ofOutput("loop_heard", false, ""))
	hit.byEar = true
	if volume, ok := number(f.out.OSVolumeDB); ok {
		if _, limit, low := f.Audio.OutputVolumeDB.below(volume); low {
			hit.confidence = likely
			hit.evidence = append(hit.evidence, under(report.ProbeAudioOutput, "os_volume_db", volume, "dB", limit))
		}
	}
	return hit
}

// voiceIsLoud reports whether the microphone carried a voice of sufficient level. A weaker
// microphone proves nothing about a loudspeaker.
func (f *facts) voiceIsLoud() bool {
	if !f.spoken() {
		return false
	}
	rms, ok := number(f.in.RMSDBFS)
	return ok && rms > f.Audio.MicrophoneOKDBFS.Value
}

func echo(f *facts) *finding {
	if f.out == nil || !isTrue(f.out.LoopHeard) {
		return nil
	}
	level, ok := number(f.out.EchoReturnDB)
	severity, limit, passed := f.Audio.EchoReturnDB.above(level)
	if !ok || !passed {
		return nil
	}
	hit := &finding{
		severity: severity, confidence: byMargin(level-limit, levelScaleDB),
		evidence: []report.Evidence{over(report.ProbeAudioOutput, "echo_return_db", level, "dB", limit)},
	}
	if delay, ok := number(f.out.LoopDelayMS); ok {
		hit.evidence = append(hit.evidence, ofOutput("loop_delay_ms", delay, "ms"))
	}
	return hit
}
