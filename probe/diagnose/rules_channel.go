package diagnose

import "github.com/tonprobe/tonprobe/probe/report"

// channelDefinitions are the causes in the relation of two channels.
func channelDefinitions() []Definition {
	return []Definition{
		{
			Code: "audio.inverted_channel", Position: 690, Severity: report.SeverityFail, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noSound(),
			ripe:         ripeWithVoice,
			rule:         invertedChannel,
		},
		{
			Code: "audio.dead_channel", Position: 700, Severity: report.SeverityWarn, Area: report.AreaParticipant,
			Needs:        []string{report.ProbeAudioInput},
			SuppressedBy: noSound(),
			ripe:         ripeWithVoice,
			rule:         deadChannel,
		},
	}
}

func invertedChannel(f *facts) *finding { return f.channelsCancel() }

// channelsCancel is a voice that is lost by mixing the channels, because they contain
// it with opposite signs.
func (f *facts) channelsCancel() *finding {
	if !f.spoken() {
		return nil
	}
	hit := f.voiceBelow("channel_correlation", f.in.ChannelCorrelation, "", f.Audio.Correlation, 0.08)
	if hit == nil {
		return f.mixCancels()
	}
	return f.withMix(hit)
}

// withMix adds what is left of the voice after mixing the channels.
func (f *facts) withMix(hit *finding) *finding {
	if mix, ok := number(f.in.MixLevelDBFS); ok {
		hit.supporting = append(hit.supporting, ofInput("mix_level_dbfs", mix, "dBFS"))
	}
	return hit
}

func deadChannel(f *facts) *finding { return f.channelDead() }

// channelDead is one of two channels that is silent while the other one is not.
func (f *facts) channelDead() *finding {
	if !f.spoken() {
		return nil
	}
	left, haveLeft := number(f.in.LeftRMSDBFS)
	right, haveRight := number(f.in.RightRMSDBFS)
	if !haveLeft || !haveRight {
		return nil
	}
	dead, field := left, "left_rms_dbfs"
	if right < left {
		dead, field = right, "right_rms_dbfs"
	}
	severity, limit, passed := f.Audio.DeadChannelDBFS.below(dead)
	if !passed || max(left, right) <= f.Audio.LiveChannelDBFS.Value {
		return nil
	}
	return f.withMix(&finding{
		severity: severity, confidence: byMargin(limit-dead, levelScaleDB),
		evidence: []report.Evidence{under(report.ProbeAudioInput, field, dead, "dBFS", limit)},
	})
}
