package diagnose

import (
	"math"
	"slices"

	"github.com/tonprobe/tonprobe/probe/report"
)

// signalDefinitions are the causes in the sound itself.
func signalDefinitions() []Definition {
	return []Definition{
		{
			Code: "audio.bluetooth_handsfree", Position: 600, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noCapture(),
			ripe:         ripeWithVoice,
			rule:         bluetoothHandsfree,
		},
		{
			Code: "audio.narrowband", Position: 610, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"audio.bluetooth_handsfree"}),
			ripe:         ripeWithVoice,
			rule:         narrowband,
		},
		{
			Code: "audio.clipped", Position: 620, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noCapture(),
			ripe:         ripeWithVoice,
			rule:         clipped,
		},
		{
			Code: "audio.clipped_upstream", Position: 630, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"audio.clipped"}),
			ripe:         ripeWithVoice,
			rule:         clippedUpstream,
		},
		{
			Code: "audio.no_speech", Position: 640, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noSound(),
			ripe:         ripeInSilence,
			Meter:        MeterNoSpeech,
			rule:         noSpeech,
		},
		{
			Code: "audio.too_quiet", Position: 650, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noSound(),
			ripe:         ripeWithVoice,
			Meter:        MeterLevel,
			rule:         tooQuiet,
		},
		{
			Code: "audio.too_loud", Position: 660, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"audio.clipped", "audio.clipped_upstream"}),
			ripe:         ripeWithVoice,
			Meter:        MeterLevel,
			rule:         tooLoud,
		},
		{
			Code: "audio.hum", Position: 670, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noSound(),
			ripe:         ripeWithVoice,
			rule:         hum,
		},
		{
			Code: "audio.noise", Position: 680, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noSound(), []string{"audio.too_quiet", "audio.hum"}),
			ripe:         ripeWithVoice,
			rule:         noise,
		},
		{
			Code: "audio.dropouts", Position: 710, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noSound(), []string{"audio.rerouted", "host.memory_low", "host.cpu_overload", "host.power_saving"}),
			rule:         dropouts,
		},
		{
			Code: "audio.sample_rate_wrong", Position: 720, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: slices.Concat(noCapture(), []string{"audio.stalled", "audio.rerouted", "audio.dropouts"}),
			ripe:         ripeWithVoice,
			rule:         sampleRateWrong,
		},
		{
			Code: "audio.dc_offset", Position: 730, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noSound(),
			ripe:         ripeWithVoice,
			rule:         dcOffset,
		},
	}
}

// bluetoothHandsfree distinguishes the telephone quality of CVSD (8 kHz) from the good
// one of mSBC (16 kHz). The measured bandwidth takes precedence over the rate.
func bluetoothHandsfree(f *facts) *finding {
	if f.in == nil || !isTrue(f.in.IsBluetooth) {
		return nil
	}
	rate, ok := count(f.in.NativeRateHz)
	if !ok || rate <= 0 || rate > f.Audio.HandsfreeRateHz.Value {
		return nil
	}
	hit := &finding{severity: report.SeverityInfo, confidence: likely, evidence: []report.Evidence{
		ofInput("is_bluetooth", true, ""),
		ofInput("native_rate_hz", rate, "Hz"),
	}}
	if f.in.BluetoothCodec != "" {
		hit.evidence = append(hit.evidence, ofInput("bluetooth_codec", f.in.BluetoothCodec, ""))
	}
	ratio, measured := f.bandRatio()
	_, _, narrow := f.Audio.BandRatioDB.below(ratio)
	switch {
	case measured && narrow:
		hit.severity, hit.confidence = report.SeverityWarn, stated
	case !measured && rate <= f.Audio.NarrowRateHz.Value:
		hit.severity = report.SeverityWarn
	case measured && rate <= f.Audio.NarrowRateHz.Value:
		hit.confidence = contradicted
	}
	return hit
}

// bandRatio returns the level of speech above the telephone band relative to that in
// it. If noise masks the voice, its weak upper band is masked first and nothing is
// known.
func (f *facts) bandRatio() (db float64, ok bool) {
	if !f.spoken() {
		return 0, false
	}
	_, above := f.snrOf(f.in)
	if snr, ok := number(above); ok {
		if _, _, noisy := f.Audio.SNRDB.below(snr); noisy {
			return 0, false
		}
	}
	return number(f.in.BandRatioDB)
}

func narrowband(f *facts) *finding {
	if f.in == nil {
		return nil
	}
	rate, rateKnown := count(f.in.NativeRateHz)
	slow := rateKnown && rate > 0 && rate <= f.Audio.NarrowRateHz.Value
	ratio, measured := f.bandRatio()
	_, limit, narrow := f.Audio.BandRatioDB.below(ratio)
	switch {
	case measured && narrow:
		hit := disturbance(byMargin(limit-ratio, levelScaleDB)*f.speechWeight(),
			under(report.ProbeAudioInput, "band_ratio_db", ratio, "dB", limit))
		if slow {
			hit.confidence = stated
			hit.evidence = append(hit.evidence, ofInput("native_rate_hz", rate, "Hz"))
		}
		return hit
	case !measured && slow:
		return disturbance(likely, ofInput("native_rate_hz", rate, "Hz"))
	}
	return nil
}

func clipped(f *facts) *finding {
	if _, ok := f.heardFor(); !ok {
		return nil
	}
	runs, haveRuns := count(f.in.ClippedRuns)
	share, haveShare := number(f.in.ClippedPct)
	severity, limit, passed := f.Audio.ClippedPct.above(share)
	if !haveRuns || !haveShare || !passed || runs < f.Audio.ClippedRuns.Value {
		return nil
	}
	return &finding{severity: severity, confidence: byRatio(share, limit), evidence: []report.Evidence{
		over(report.ProbeAudioInput, "clipped_pct", share, "%", limit),
		ofInput("clipped_runs", runs, ""),
	}}
}

func clippedUpstream(f *facts) *finding {
	if !f.spoken() {
		return nil
	}
	runs, ok := count(f.in.ClippedUpstreamRuns)
	severity, limit, passed := f.Audio.UpstreamRuns.above(runs)
	if !ok || !passed {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(runs, limit) * f.speechWeight(),
		evidence: []report.Evidence{over(report.ProbeAudioInput, "clipped_upstream_runs", runs, "", limit)},
	}
}

// noSpeech cannot distinguish a person who did not speak from a microphone that did not
// hear them. If not even the room is heard, the microphone is at fault; otherwise the
// result is unknown. Sound that rises and falls like syllables may have been a voice that
// was not recognised, such as a whisper or a very rough one; that is only a remark.
func noSpeech(f *facts) *finding {
	captured, ok := f.heardFor()
	if !ok || !f.speechMeasured() || f.spoken() || captured < f.Audio.CapturedMinMS.Value {
		return nil
	}
	said := under(report.ProbeAudioInput, "speech_ms", *f.in.SpeechMS, "ms", f.Audio.SpeechMinMS.Value)
	if rms, ok := number(f.in.RMSDBFS); ok {
		if severity, limit, dead := f.Audio.DeadInputDBFS.below(rms); dead {
			return &finding{severity: severity, confidence: byMargin(limit-rms, 2*levelScaleDB), evidence: []report.Evidence{
				said, under(report.ProbeAudioInput, "rms_dbfs", rms, "dBFS", limit),
			}, supporting: f.ofBluetooth()}
		}
	}
	hit := disturbance(likely, said)
	hit.blind = true
	if syllabic, ok := number(f.in.SyllabicMS); ok && syllabic >= f.Audio.SyllabicMinMS.Value {
		hit.severity, hit.confidence = report.SeverityInfo, contradicted
		hit.supporting = append(hit.supporting, over(report.ProbeAudioInput, "syllabic_ms", syllabic, "ms", f.Audio.SyllabicMinMS.Value))
	}
	return hit
}

func tooQuiet(f *facts) *finding {
	if !f.spoken() {
		return nil
	}
	field, level := f.voiceLevel()
	hit := f.voiceBelow(field, level, "dBFS", f.Audio.QuietDBFS, levelScaleDB)
	if hit == nil {
		return f.mixTooQuiet()
	}
	hit.evidence = append(hit.evidence, ofInput("speech_ms", *f.in.SpeechMS, "ms"))
	return hit
}

// voiceBelow is a measured value of a voice that is too small. Its confidence depends
// on the distance to the warn limit, or to the only one, and on the amount of speech.
func (f *facts) voiceBelow(field string, value *float64, unit string, l Limit, scale float64) *finding {
	v, ok := number(value)
	severity, limit, passed := l.below(v)
	if !ok || !passed {
		return nil
	}
	begins := limit
	if l.Warn != nil {
		begins = *l.Warn
	}
	return &finding{
		severity: severity, confidence: byMargin(begins-v, scale) * f.speechWeight(),
		evidence: []report.Evidence{under(report.ProbeAudioInput, field, v, unit, limit)},
	}
}

// tooLoud judges the level of the voice. A true peak alone is only a remark: one cough
// or a knock on the table causes it.
func tooLoud(f *facts) *finding {
	if !f.spoken() {
		return nil
	}
	peak, havePeak := number(f.in.TruePeakDBTP)
	high := havePeak && peak > f.Audio.TruePeakDBTP.Value
	field, value := f.voiceLevel()
	level, haveLevel := number(value)
	if severity, limit, passed := f.Audio.LoudDBFS.above(level); haveLevel && passed {
		hit := &finding{
			severity: severity, confidence: byMargin(level-limit, levelScaleDB) * f.speechWeight(),
			evidence: []report.Evidence{over(report.ProbeAudioInput, field, level, "dBFS", limit)},
		}
		if high {
			hit.evidence = append(hit.evidence, over(report.ProbeAudioInput, "true_peak_dbtp", peak, "dBTP", f.Audio.TruePeakDBTP.Value))
		}
		return hit
	}
	if !high {
		return nil
	}
	return &finding{
		severity: report.SeverityInfo, confidence: byMargin(peak-f.Audio.TruePeakDBTP.Value, 1),
		evidence: []report.Evidence{over(report.ProbeAudioInput, "true_peak_dbtp", peak, "dBTP", f.Audio.TruePeakDBTP.Value)},
	}
}

func hum(f *facts) *finding {
	if _, ok := f.heardFor(); !ok {
		return nil
	}
	prominence, haveProminence := number(f.in.HumProminenceDB)
	level, haveLevel := number(f.in.HumDBFS)
	severity, limit, passed := f.Audio.HumProminenceDB.above(prominence)
	if !haveProminence || !haveLevel || !passed || level <= f.Audio.HumDBFS.Value {
		return nil
	}
	_, others := f.noiseOf(f.in)
	if floor, ok := number(others); ok && level < floor-f.Audio.HumBelowNoiseDB.Value {
		return nil
	}
	if voice, ok := number(f.activeLevel()); ok && f.spoken() && level < voice-f.Audio.HumBelowVoiceDB.Value {
		return nil
	}
	hit := &finding{severity: severity, confidence: byMargin(prominence-limit, 2*levelScaleDB), evidence: []report.Evidence{
		over(report.ProbeAudioInput, "hum_prominence_db", prominence, "dB", limit),
		over(report.ProbeAudioInput, "hum_dbfs", level, "dBFS", f.Audio.HumDBFS.Value),
	}}
	if hz, ok := number(f.in.HumHz); ok {
		hit.evidence = append(hit.evidence, ofInput("hum_hz", hz, "Hz"))
	}
	return hit
}

// estimatedFloor is the factor for the confidence if the noise was not measured in
// quiet parts: estimated between syllables, it is off by up to 2 dB, and reverberation
// may be part of it.
const estimatedFloor = 0.8

func noise(f *facts) *finding {
	if !f.spoken() {
		return nil
	}
	field, snr := f.snrOf(f.in)
	hit := f.voiceBelow(field, snr, "dB", f.Audio.SNRDB, levelScaleDB)
	if hit == nil {
		return nil
	}
	field, heard := f.noiseOf(f.in)
	if floor, ok := number(heard); ok {
		hit.evidence = append(hit.evidence, ofInput(field, floor, "dBFS"))
	}
	if isTrue(f.in.NoiseFloorEstimated) {
		hit.confidence *= estimatedFloor
		hit.supporting = append(hit.supporting, ofInput("noise_floor_estimated", true, ""))
	}
	return hit
}

// dropouts compares the number of gaps in the sound per 10 s with the limits; a shorter
// recording counts as 10 s. A pause in delivery counts only if the gaps are unknown: a
// busy computer delivers the sound late, but without loss.
func dropouts(f *facts) *finding { return f.gapsInSound() }

// gapsInSound is the finding of dropouts.
func (f *facts) gapsInSound() *finding {
	captured, ok := f.heardFor()
	if !ok || captured <= 0 {
		return nil
	}
	limits := f.Audio.DropoutsPer10S
	if n, ok := count(f.in.Dropouts); ok {
		rate := n * 10_000 / max(captured, 10_000)
		if severity, limit, passed := limits.above(rate); passed {
			return &finding{severity: severity, confidence: byMargin(n, 3), evidence: []report.Evidence{
				over(report.ProbeAudioInput, "dropouts", n, "", limit),
			}}
		}
		return nil
	}
	gap, ok := number(f.in.LongestCallbackGapMS)
	severity, limit, passed := f.Audio.DropoutGapMS.above(gap)
	if !ok || !passed {
		return nil
	}
	return &finding{
		severity: severity, confidence: byRatio(gap, limit),
		evidence: []report.Evidence{over(report.ProbeAudioInput, "longest_callback_gap_ms", gap, "ms", limit)},
	}
}

func sampleRateWrong(f *facts) *finding {
	captured, ok := f.heardFor()
	if !ok || captured < f.Audio.CapturedMinMS.Value {
		return nil
	}
	return offCentre("rate_error_pct", f.in.RateErrorPct, "%", f.Audio.RateErrorPct)
}

func dcOffset(f *facts) *finding {
	if _, ok := f.heardFor(); !ok {
		return nil
	}
	return offCentre("dc_offset", f.in.DCOffset, "", f.Audio.DCOffset)
}

// offCentre is a value whose distance from zero matters, in either direction.
func offCentre(field string, value *float64, unit string, l Limit) *finding {
	v, ok := number(value)
	severity, limit, passed := l.above(math.Abs(v))
	if !ok || !passed {
		return nil
	}
	e := over(report.ProbeAudioInput, field, v, unit, limit)
	e.Limit = "±" + decimal(limit)
	return &finding{severity: severity, confidence: byRatio(math.Abs(v), limit), evidence: []report.Evidence{e}}
}
