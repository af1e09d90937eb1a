package signal

// Analysis is what is known about a recording so far.
//
// Levels in dBFS are relative to an RMS (or peak) of 1.0, so that a full-scale sine reads -3.01 dBFS RMS
// and 0 dBFS peak; nothing reads below -120. A nil pointer means: not measurable from what was heard (too
// short, nobody spoke, no quiet part, mono), never "fine".
//
// Of several channels, the figures marked (voice channel) come from the one that carries most of the voice: a folded
// sum would hide a dead channel and cancel an inverted one. Of more than two, which are the inputs of an interface or
// an array, the peaks and the DC offset are those of that channel as well, and the loudness is that of the mean of all.
type Analysis struct {
	// DurationMS is the length of everything written, in milliseconds.
	DurationMS float64 `json:"duration_ms"`
	// VoiceChannel is the channel, counted from 0, with the highest active level of those with speech; without any
	// speech, of all; without any level, the one with the highest RMS.
	VoiceChannel int `json:"voice_channel"`
	// MixActiveDBFS is the active level of the mean of all channels, which is what WebRTC makes of them; nil for mono.
	MixActiveDBFS *float64 `json:"mix_active_dbfs"`

	// ActiveLevelDBFS is the active speech level of ITU-T P.56 method B (voice channel, DC removed);
	// -100 = no activity found. P.56 takes hum and noise for activity too: see SpeechMS.
	ActiveLevelDBFS float64 `json:"active_level_dbfs"`
	// ActivityPct is P.56's share of active time, 0..100.
	ActivityPct float64 `json:"activity_pct"`
	// RMSDBFS is the RMS level over the whole duration, DC removed (voice channel).
	RMSDBFS float64 `json:"rms_dbfs"`
	// PeakDBFS is the largest sample magnitude of either channel.
	PeakDBFS float64 `json:"peak_dbfs"`
	// TruePeakDBTP is the largest magnitude between the samples too, of any channel (ITU-R BS.1770-5 Annex 2).
	TruePeakDBTP float64 `json:"true_peak_dbtp"`

	// MomentaryMaxLUFS is the highest loudness of any 400 ms (EBU Tech 3341), mono counted as dual mono;
	// nil before 400 ms have passed.
	MomentaryMaxLUFS *float64 `json:"momentary_max_lufs"`
	// ShortTermMaxLUFS is the highest loudness of any 3 s; nil before 3 s have passed.
	ShortTermMaxLUFS *float64 `json:"short_term_max_lufs"`
	// IntegratedLUFS is the gated loudness of everything (BS.1770-5); nil when no 400 ms pass the -70 LUFS gate.
	IntegratedLUFS *float64 `json:"integrated_lufs"`

	// SpeechMS is the time this package's own detector judged to be speech: voiced syllables that rise out of
	// the background, with the consonants around them (voice channel).
	SpeechMS float64 `json:"speech_ms"`
	// SyllabicMS is the time in which the level stood 15 dB above its background in stretches as long as syllables
	// are, 80 ms to 1 s, recognised as a voice or not (voice channel). Whispers have it and voices that are too
	// rough to be recognised; keys, knocks, hum and steady noise have next to none.
	SyllabicMS float64 `json:"syllabic_ms"`
	// NoiseFloorDBFS is the median level of the parts without speech and without digital zero, DC removed
	// (voice channel). With less than 500 ms of such parts it is the level of the lowest frames between the
	// syllables, if those share one, as a steady noise has them do, or the median of at least 200 ms than which
	// nothing is much lower; else nil. Within 2 dB for steady noise 8 to 17 dB below the voice.
	NoiseFloorDBFS *float64 `json:"noise_floor_dbfs"`
	// NoiseFloorEstimated is true when NoiseFloorDBFS was not measured in quiet parts but told from the lowest frames
	// between the syllables.
	NoiseFloorEstimated bool `json:"noise_floor_estimated"`
	// SNRDB is ActiveLevelDBFS less NoiseFloorDBFS; nil without a noise floor or with less than 300 ms of speech.
	SNRDB *float64 `json:"snr_db"`

	// ClippedRuns counts runs at full scale (magnitude >= 0.999) of more than 6 samples at 48 kHz: the
	// same time at other rates, never less than 3 samples (voice channel).
	ClippedRuns int `json:"clipped_runs"`
	// ClippedPct is the share of all samples that stand in full-scale runs of 3 or more, 0..100.
	ClippedPct float64 `json:"clipped_pct"`
	// ClippedUpstreamRuns counts flat tops below full scale at the very edge of what the signal reaches:
	// it was clipped before a later gain turned it down.
	ClippedUpstreamRuns int `json:"clipped_upstream_runs"`
	// ClipLevelDBFS is the magnitude at which ClippedUpstreamRuns stand; nil when there are none.
	ClipLevelDBFS *float64 `json:"clip_level_dbfs"`
	// FlatFactor says in dB how long the signal stays at its own extremes: 20 lg of the mean number of
	// consecutive samples that equal the minimum or maximum exactly; 0 = single samples only.
	FlatFactor float64 `json:"flat_factor"`

	// HumHz is the base of the mains hum found: 50 or 60 Hz; nil when there is none.
	HumHz *float64 `json:"hum_hz"`
	// HumDBFS is the power of the hum's first four harmonics together, of those that stand out.
	HumDBFS *float64 `json:"hum_dbfs"`
	// HumAboveDB is how far the strongest of them stands above its neighbouring bins.
	HumAboveDB *float64 `json:"hum_above_db"`

	// BandwidthHz is the highest frequency at which speech still rises out of the quiet parts and is less
	// than 60 dB below its strongest band (voice channel); nil with less than 500 ms of speech.
	BandwidthHz *float64 `json:"bandwidth_hz"`
	// BandRatioDB is the speech power in 4-7 kHz (from 4.4 on, as resamplers leak a little) relative to
	// that in 0.3-3.4 kHz, quiet parts subtracted; -100 when the sampling rate leaves nothing above 4 kHz;
	// nil with less than 500 ms of speech, and where the quiet parts cover the upper band.
	BandRatioDB *float64 `json:"band_ratio_db"`

	// DCOffset is the mean sample value, -1..1, of the channel where it is larger in magnitude.
	DCOffset float64 `json:"dc_offset"`

	// Dropouts counts runs of exact zero of 10 ms to 2 s between sounds above -60 dBFS (voice channel). Where
	// fewer than a quarter of them tear a loud sound off, they are mostly a noise gate's: then only those that do
	// count, less what is chance.
	Dropouts int `json:"dropouts"`
	// LongestGapMS is the longest of those runs.
	LongestGapMS float64 `json:"longest_gap_ms"`
	// DigitalZeroMS is the longest run in which every channel was exactly zero.
	DigitalZeroMS float64 `json:"digital_zero_ms"`
	// AllZero is true when something was written and all of it was exactly zero.
	AllZero bool `json:"all_zero"`

	// EndSilenceMS is the length of the silence at the end: no sample of any channel above -75 dBFS. 0 when there was
	// no sound before it.
	EndSilenceMS float64 `json:"end_silence_ms"`
	// EndSilenceUnlike is true when that silence is unlike the pauses before it: none of them was as silent for
	// 40 ms, or it broke off a sound no softer than 12 dB below the active level.
	EndSilenceUnlike bool `json:"end_silence_unlike"`

	// ChannelRMSDBFS is each analysed channel's RMS level, DC removed: a dead channel shows here.
	ChannelRMSDBFS []float64 `json:"channel_rms_dbfs"`
	// ChannelCorrelation is Pearson's r between two channels, -1 (inverted) to 1 (the same); nil for mono or
	// when a channel is below -90 dBFS.
	ChannelCorrelation *float64 `json:"channel_correlation"`
	// ChannelBalanceDB is the RMS level of channel 0 less that of channel 1; nil for mono or when both are silent.
	ChannelBalanceDB *float64 `json:"channel_balance_db"`

	// NonFinite counts the samples that were NaN or infinite and were taken as 0.
	NonFinite int64 `json:"non_finite"`
}
