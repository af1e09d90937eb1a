package audio

import (
	"math"

	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/report"
)

// fillSignal copies an analysis into the report, rounded to two decimals. No
// value is more accurate than that.
func fillSignal(d *report.AudioInput, a signal.Analysis) {
	d.CapturedMS, d.SpeechMS = hundredth(a.DurationMS), hundredth(a.SpeechMS)
	d.ActiveLevelDBFS, d.ActivityPct = hundredth(a.ActiveLevelDBFS), hundredth(a.ActivityPct)
	d.RMSDBFS, d.PeakDBFS, d.TruePeakDBTP = hundredth(a.RMSDBFS), hundredth(a.PeakDBFS), hundredth(a.TruePeakDBTP)
	d.MomentaryMaxLUFS, d.ShortTermMaxLUFS = rounded(a.MomentaryMaxLUFS), rounded(a.ShortTermMaxLUFS)
	d.IntegratedLUFS = rounded(a.IntegratedLUFS)
	d.SyllabicMS = hundredth(a.SyllabicMS)
	d.NoiseFloorDBFS, d.SNRDB = rounded(a.NoiseFloorDBFS), rounded(a.SNRDB)
	if a.NoiseFloorDBFS != nil {
		d.NoiseFloorEstimated = new(a.NoiseFloorEstimated)
	}
	d.ClippedRuns, d.ClippedPct = new(a.ClippedRuns), exact(a.ClippedPct)
	d.ClippedUpstreamRuns, d.FlatFactor = new(a.ClippedUpstreamRuns), hundredth(a.FlatFactor)
	d.HumHz, d.HumDBFS, d.HumProminenceDB = rounded(a.HumHz), rounded(a.HumDBFS), rounded(a.HumAboveDB)
	d.BandwidthHz, d.BandRatioDB = rounded(a.BandwidthHz), rounded(a.BandRatioDB)
	d.DCOffset = exact(a.DCOffset)
	d.Dropouts, d.LongestGapMS = new(a.Dropouts), hundredth(a.LongestGapMS)
	d.ChannelCorrelation, d.ChannelBalanceDB = rounded(a.ChannelCorrelation), rounded(a.ChannelBalanceDB)
	if len(a.ChannelRMSDBFS) > 1 {
		d.VoiceChannel, d.MixLevelDBFS = new(a.VoiceChannel+1), rounded(a.MixActiveDBFS)
	}
	if len(a.ChannelRMSDBFS) == 2 {
		d.LeftRMSDBFS, d.RightRMSDBFS = hundredth(a.ChannelRMSDBFS[0]), hundredth(a.ChannelRMSDBFS[1])
	}
	d.DigitalZeroMS, d.AllZero = hundredth(a.DigitalZeroMS), new(a.AllZero)
	d.EndSilenceMS, d.EndSilenceUnlike = hundredth(a.EndSilenceMS), new(a.EndSilenceUnlike)
}

// exact rounds small quantities to six decimals.
func exact(x float64) *float64 { return roundedTo(x, 1e6) }

func hundredth(x float64) *float64 { return roundedTo(x, 100) }

func rounded(x *float64) *float64 {
	if x == nil {
		return nil
	}
	return hundredth(*x)
}

// roundedTo returns nil for NaN and infinities, which JSON cannot represent.
func roundedTo(x, parts float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return new(math.Round(x*parts) / parts)
}
