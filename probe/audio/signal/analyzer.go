// Package signal measures a microphone's signal: the level of the voice, its faults, and whether there is a voice
// at all. It is pure computation on samples, without devices, files or clocks.
//
// An [Analyzer] accepts a stream in blocks of any size and can be queried at any time. The live meter, the check
// and the analysis of a file use the same code.
package signal

import (
	"fmt"
	"math"
)

// MinRateHz and MaxRateHz are the sampling rates that an Analyzer accepts.
const (
	MinRateHz = 8000
	MaxRateHz = 192000
)

// MaxChannels is the largest number of channels an Analyzer accepts.
const MaxChannels = 64

const blockFrames = 512

// Format describes the samples given to Analyzer.Write.
type Format struct {
	RateHz   int // MinRateHz..MaxRateHz
	Channels int // interleaved channels, 1..MaxChannels
}

// Analyzer measures one stream. It is not safe for concurrent use.
type Analyzer struct {
	format   Format
	frames   int64
	position int // channel of the next sample: a Write may end within a frame
	filled   int // complete frames in the block being gathered

	raw      [][]float64 // per channel, the block being gathered
	channels []*channel
	loudness *loudnessMeter
	pair     channelPair
	mix      *mixMeter // nil for mono
	zero     zeroMeter
	ending   ending
}

// ending is preallocated space for the copies that Analysis finishes, about 180 KB.
type ending struct {
	judge judge
	hum   humMeter
}

// NewAnalyzer returns an Analyzer for one stream, or an error that names the unsupported part of the format.
func NewAnalyzer(f Format) (*Analyzer, error) {
	if f.Channels < 1 || f.Channels > MaxChannels {
		return nil, fmt.Errorf("analyse audio: %d channels; 1 to %d can be measured", f.Channels, MaxChannels)
	}
	if f.RateHz < MinRateHz || f.RateHz > MaxRateHz {
		return nil, fmt.Errorf("analyse audio: a rate of %d Hz; only %d to %d Hz can be measured", f.RateHz, MinRateHz, MaxRateHz)
	}
	a := &Analyzer{format: f}
	for range f.Channels {
		c := newChannel(f.RateHz)
		a.channels = append(a.channels, c)
		a.raw = append(a.raw, c.block())
	}
	a.loudness = newLoudnessMeter(a.channels[0].band.rateHz)
	if f.Channels > 1 {
		a.mix = newMixMeter(f.RateHz)
	}
	return a, nil
}

// Write adds interleaved samples, nominally ±1. NaN and infinite values are replaced by 0 and counted.
func (a *Analyzer) Write(interleaved []float32) {
	for len(interleaved) > 0 {
		if whole := min(len(interleaved)/a.format.Channels, blockFrames-a.filled); a.position == 0 && whole > 0 {
			a.gather(interleaved, whole)
			interleaved = interleaved[whole*a.format.Channels:]
		} else {
			a.gatherOne(interleaved[0])
			interleaved = interleaved[1:]
		}
		if a.filled == blockFrames {
			a.flush()
		}
	}
	a.flush()
}

// gather appends complete frames.
func (a *Analyzer) gather(interleaved []float32, frames int) {
	if a.format.Channels == 2 {
		left, right := a.raw[0][a.filled:a.filled+frames], a.raw[1][a.filled:a.filled+frames]
		for i := range min(len(left), len(right)) {
			frame := (*[2]float32)(interleaved[2*i:])
			left[i], right[i] = float64(frame[0]), float64(frame[1])
		}
		a.filled += frames
		return
	}
	for c := range a.raw {
		raw := a.raw[c][a.filled : a.filled+frames]
		for i := range raw {
			raw[i] = float64(interleaved[i*a.format.Channels+c])
		}
	}
	a.filled += frames
}

// gatherOne appends a single sample: a Write need not begin or end at a frame boundary.
func (a *Analyzer) gatherOne(sample float32) {
	if a.position < len(a.raw) {
		a.raw[a.position][a.filled] = float64(sample)
	}
	if a.position++; a.position == a.format.Channels {
		a.position = 0
		a.filled++
	}
}

// flush passes the complete frames to all meters and keeps an incomplete one.
func (a *Analyzer) flush() {
	n := a.filled
	if n == 0 {
		return
	}
	for _, c := range a.channels {
		c.write(n)
	}
	if a.mix != nil {
		a.mix.write(a.raw, n)
	}
	left, right := a.channels[0].heard, a.channels[len(a.channels)-1].heard
	if len(a.channels) > 2 {
		left = a.mix.heard()
		right = left
	}
	a.loudness.write(left, right)
	a.zero.write(a.raw, a.channels, n)
	if len(a.channels) == 2 {
		a.pair.write(a.raw[0][:n], a.raw[1][:n])
	}
	a.frames += int64(n)
	a.filled = 0
	for c := range min(a.position, len(a.raw)) {
		a.raw[c][0] = a.raw[c][n]
	}
}

// Level returns the state of the live meter.
func (a *Analyzer) Level() Level {
	l := Level{RMSDBFS: FloorDBFS, PeakDBFS: FloorDBFS, ZeroMS: a.milliseconds(a.zero.run)}
	voice := -1 // all channels
	if len(a.channels) > 2 {
		voice = a.voiceChannel()
	}
	for i, c := range a.channels {
		if voice >= 0 && i != voice {
			continue
		}
		rms, peak := c.meter.level()
		l.RMSDBFS, l.PeakDBFS = max(l.RMSDBFS, rms), max(l.PeakDBFS, peak)
		l.Speech = l.Speech || c.judge.live()
	}
	return l
}

// Analysis returns the measurements of everything written so far, as if the stream ended here. It may be called at
// any time from the goroutine that writes, and does not affect later results by a single bit. It takes about
// 0.03 ms regardless of the length, so a live check can call it four times a second.
//
// Early values may be revised: the following samples decide whether the last 0.7 s were speech or quiet. Values
// that require more samples are nil.
func (a *Analyzer) Analysis() Analysis {
	r := Analysis{
		DurationMS:    a.milliseconds(a.frames),
		VoiceChannel:  a.voiceChannel(),
		DigitalZeroMS: a.milliseconds(a.zero.longestRun()),
		AllZero:       a.frames > 0 && a.zero.nonZero == 0,
	}
	r.MomentaryMaxLUFS, r.ShortTermMaxLUFS = a.loudness.maxima()
	r.IntegratedLUFS = a.loudness.integrated()
	a.sumUpChannels(&r)
	a.sumUpVoice(&r, a.channels[r.VoiceChannel])
	r.EndSilenceMS, r.EndSilenceUnlike = a.endSilence(r.ActiveLevelDBFS)
	return r
}

// EndSilence returns EndSilenceMS and EndSilenceUnlike of the Analysis at this point.
func (a *Analyzer) EndSilence() (ms float64, unlike bool) {
	return a.endSilence(a.channels[a.voiceChannel()].p56.level().ActiveDBFS)
}

// endSilence returns the shortest silence at the end of the channels that carry the voice, or 0 if none has any sound.
// The unused input of an interface may have noise, or no sound that could have ended.
func (a *Analyzer) endSilence(activeDBFS float64) (ms float64, unlike bool) {
	frames := math.MaxInt
	most := a.mostSpeech()
	for _, c := range a.channels {
		if !c.carriesVoice(most) || !c.silence.anySound() {
			continue
		}
		if n, differs := c.silence.result(activeDBFS); n < frames {
			frames, unlike = n, differs
		}
	}
	if frames == math.MaxInt {
		return 0, false
	}
	return a.milliseconds(int64(frames)), unlike && frames > 0
}

// sumUpChannels sets the values that concern all channels.
func (a *Analyzer) sumUpChannels(r *Analysis) {
	r.PeakDBFS, r.TruePeakDBTP = FloorDBFS, FloorDBFS
	if a.mix != nil {
		r.MixActiveDBFS = new(a.mix.p56.level().ActiveDBFS)
	}
	for i, c := range a.channels {
		r.ChannelRMSDBFS = append(r.ChannelRMSDBFS, c.stats.rmsDBFS())
		r.NonFinite += c.survey.nonFinite
		if len(a.channels) > 2 && i != r.VoiceChannel {
			continue // the other inputs of an interface do not carry the voice
		}
		r.PeakDBFS = max(r.PeakDBFS, amplitudeDB(c.stats.peak()))
		r.TruePeakDBTP = max(r.TruePeakDBTP, amplitudeDB(c.truePeak.peak))
		if dc := c.stats.mean(); math.Abs(dc) > math.Abs(r.DCOffset) {
			r.DCOffset = dc
		}
	}
	if len(a.channels) == 2 {
		left, right := &a.channels[0].stats, &a.channels[1].stats
		r.ChannelCorrelation = a.pair.correlation(left, right)
		r.ChannelBalanceDB = a.pair.balance(left, right)
	}
}

// sumUpVoice sets the values that are measured on the voice channel only.
func (a *Analyzer) sumUpVoice(r *Analysis, c *channel) {
	level := c.p56.level()
	r.ActiveLevelDBFS, r.ActivityPct, r.RMSDBFS = level.ActiveDBFS, level.ActivityPct, c.stats.rmsDBFS()

	a.ending.judge, a.ending.hum = c.judge, *c.hum
	judge, hum := &a.ending.judge, &a.ending.hum
	judge.finish(func() { hum.settle(judge.decided, judge.quietRun) })
	r.SpeechMS = a.milliseconds(int64(judge.speech * c.framer.hop * c.band.factor))
	r.SyllabicMS = a.milliseconds(int64(judge.syllabic * c.framer.hop * c.band.factor))
	r.NoiseFloorDBFS, r.NoiseFloorEstimated = judge.noise.floorDBFS()
	r.SNRDB = snrDB(r.ActiveLevelDBFS, r.NoiseFloorDBFS, r.SpeechMS)
	voiceNoise, estimated := judge.voiceNoise.floorDBFS()
	r.VoiceBandLevelDBFS, r.VoiceBandNoiseDBFS = c.voice.p56.level().ActiveDBFS, voiceNoise
	r.NoiseFloorEstimated = r.NoiseFloorEstimated || estimated
	r.VoiceBandSNRDB = snrDB(r.VoiceBandLevelDBFS, voiceNoise, r.SpeechMS)
	r.BandwidthHz = judge.bandwidth.bandwidthHz(&c.framer.wide)
	r.BandRatioDB = judge.bandwidth.bandRatioDB(&c.framer.wide)

	r.ClippedRuns, r.ClippedPct = c.clipping.fullScaleResult(a.frames)
	r.ClippedUpstreamRuns, r.ClipLevelDBFS = c.clipping.upstream(&c.stats)
	r.FlatFactor = c.clipping.flatFactor()
	if h, ok := hum.find(); ok {
		r.HumHz, r.HumDBFS, r.HumAboveDB = &h.baseHz, &h.levelDBFS, &h.aboveDB
	}
	dropouts, longest := c.dropout.result(r.ActiveLevelDBFS)
	r.Dropouts, r.LongestGapMS = dropouts, a.milliseconds(int64(longest))
}

// voiceChannel returns the channel with the highest active level, or without any, with the highest RMS. P.56 counts
// hum and noise as activity, and the other inputs of an interface may have both. Where speech was detected, only
// channels with at least half as much speech as the channel with the most are considered.
func (a *Analyzer) voiceChannel() int {
	most := a.mostSpeech()
	best, bestActive, bestRMS := 0, math.Inf(-1), math.Inf(-1)
	for i, c := range a.channels {
		if !c.carriesVoice(most) {
			continue
		}
		active, rms := c.p56.level().ActiveDBFS, c.stats.rmsDBFS()
		if active > bestActive || active == bestActive && rms > bestRMS {
			best, bestActive, bestRMS = i, active, rms
		}
	}
	return best
}

// mostSpeech returns the speech of the channel with the most, in frames of the judge.
func (a *Analyzer) mostSpeech() (most int) {
	for _, c := range a.channels {
		most = max(most, c.judge.speech)
	}
	return most
}

// carriesVoice reports whether c has at least half as much speech as the channel with the most, or whether there is
// too little speech to tell.
func (c *channel) carriesVoice(most int) bool {
	return most < minVoiceFrames || 2*c.judge.speech >= most
}

func (a *Analyzer) milliseconds(frames int64) float64 {
	return float64(frames) * 1000 / float64(a.format.RateHz)
}
