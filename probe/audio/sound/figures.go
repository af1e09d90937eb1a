package sound

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Fill copies an analysis into the report, rounded to two decimals. No
// value is more accurate than that.
func Fill(d *report.AudioInput, a signal.Analysis) {
	d.CapturedMS, d.SpeechMS = Hundredth(a.DurationMS), Hundredth(a.SpeechMS)
	d.ActiveLevelDBFS, d.ActivityPct = Hundredth(a.ActiveLevelDBFS), Hundredth(a.ActivityPct)
	d.RMSDBFS, d.PeakDBFS, d.TruePeakDBTP = Hundredth(a.RMSDBFS), Hundredth(a.PeakDBFS), Hundredth(a.TruePeakDBTP)
	d.MomentaryMaxLUFS, d.ShortTermMaxLUFS = rounded(a.MomentaryMaxLUFS), rounded(a.ShortTermMaxLUFS)
	d.IntegratedLUFS = rounded(a.IntegratedLUFS)
	d.SyllabicMS = Hundredth(a.SyllabicMS)
	d.NoiseFloorDBFS, d.SNRDB = rounded(a.NoiseFloorDBFS), rounded(a.SNRDB)
	d.VoiceBandLevelDBFS = Hundredth(a.VoiceBandLevelDBFS)
	d.VoiceBandNoiseDBFS, d.VoiceBandSNRDB = rounded(a.VoiceBandNoiseDBFS), rounded(a.VoiceBandSNRDB)
	if a.NoiseFloorDBFS != nil || a.VoiceBandNoiseDBFS != nil {
		d.NoiseFloorEstimated = new(a.NoiseFloorEstimated)
	}
	d.ClippedRuns, d.ClippedPct = new(a.ClippedRuns), exact(a.ClippedPct)
	d.ClippedUpstreamRuns, d.FlatFactor = new(a.ClippedUpstreamRuns), Hundredth(a.FlatFactor)
	d.HumHz, d.HumDBFS, d.HumProminenceDB = rounded(a.HumHz), rounded(a.HumDBFS), rounded(a.HumAboveDB)
	d.BandwidthHz, d.BandRatioDB = rounded(a.BandwidthHz), rounded(a.BandRatioDB)
	d.DCOffset = exact(a.DCOffset)
	d.Dropouts, d.LongestGapMS = new(a.Dropouts), Hundredth(a.LongestGapMS)
	d.ChannelCorrelation, d.ChannelBalanceDB = rounded(a.ChannelCorrelation), rounded(a.ChannelBalanceDB)
	if len(a.ChannelRMSDBFS) > 1 {
		d.VoiceChannel, d.MixLevelDBFS = new(a.VoiceChannel+1), rounded(a.MixActiveDBFS)
	}
	if len(a.ChannelRMSDBFS) == 2 {
		d.LeftRMSDBFS, d.RightRMSDBFS = Hundredth(a.ChannelRMSDBFS[0]), Hundredth(a.ChannelRMSDBFS[1])
	}
	d.DigitalZeroMS, d.AllZero = Hundredth(a.DigitalZeroMS), new(a.AllZero)
	d.EndSilenceMS, d.EndSilenceUnlike = Hundredth(a.EndSilenceMS), new(a.EndSilenceUnlike)
}

// exact rounds small quantities to six decimals.
func exact(x float64) *float64 { return roundedTo(x, 1e6) }

// Hundredth rounds to two decimals. It returns nil for NaN and infinities.
func Hundredth(x float64) *float64 { return roundedTo(x, 100) }

func rounded(x *float64) *float64 {
	if x == nil {
		return nil
	}
	return Hundredth(*x)
}

// roundedTo returns nil for NaN and infinities, which JSON cannot represent.
func roundedTo(x, parts float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return new(math.Round(x*parts) / parts)
}
