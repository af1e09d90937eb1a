package diagnose

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/report"
)

// These rules concern how a conference program mixes several channels. Browsers send
// one channel: WebRTC uses the mean of all (see mix_level_dbfs).

// mixTooQuiet is a voice that is loud enough on its own channel, but too quiet in the
// mean of all. If a dead or inverted channel explains that, those causes are reported.
func (f *facts) mixTooQuiet() *finding {
	level, haveLevel := number(f.in.ActiveLevelDBFS)
	mix, haveMix := number(f.in.MixLevelDBFS)
	if !haveLevel || !haveMix || mix >= level || f.channelDead() != nil || f.channelsCancel() != nil {
		return nil
	}
	hit := f.voiceBelow("mix_level_dbfs", f.in.MixLevelDBFS, "dBFS", f.Audio.QuietDBFS, levelScaleDB)
	if hit == nil {
		return nil
	}
	hit.evidence = append(hit.evidence, ofInput("active_level_dbfs", level, "dBFS"))
	if n, ok := count(f.in.VoiceChannel); ok {
		hit.evidence = append(hit.evidence, ofInput("voice_channel", n, ""))
	}
	if n, ok := count(f.in.NativeChannels); ok {
		hit.evidence = append(hit.evidence, ofInput("native_channels", n, ""))
	}
	return hit
}

// mixCancels is a voice on several of more than two channels that cancel each other.
// The mean of n channels keeps at least 1/n of a voice on one of them, whatever the
// others contain, unless it is the same voice.
func (f *facts) mixCancels() *finding {
	level, haveLevel := number(f.in.ActiveLevelDBFS)
	mix, haveMix := number(f.in.MixLevelDBFS)
	channels, haveChannels := count(f.in.NativeChannels)
	if !haveLevel || !haveMix || !haveChannels || channels <= 2 {
		return nil
	}
	limit := level - 20*math.Log10(channels) - f.Audio.MixCancelledDB.Value
	if mix >= limit {
		return nil
	}
	return &finding{
		severity: report.SeverityFail, confidence: byMargin(limit-mix, levelScaleDB) * f.speechWeight(),
		evidence: []report.Evidence{
			under(report.ProbeAudioInput, "mix_level_dbfs", mix, "dBFS", math.Round(limit*10)/10),
			ofInput("active_level_dbfs", level, "dBFS"), ofInput("native_channels", channels, ""),
		},
	}
}
